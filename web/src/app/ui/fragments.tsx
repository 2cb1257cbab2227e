// A text in pieces of which some are what was searched for.
interface Fragment {
  text: string;
  hit: boolean;
}

export function Fragments({ pieces }: { pieces: readonly Fragment[] }) {
  return pieces.map(({ text, hit }, place) => (hit ? <mark key={place}>{text}</mark> : <span key={place}>{text}</span>));
}

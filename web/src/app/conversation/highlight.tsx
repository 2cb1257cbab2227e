// The words of a search, marked in a text that the server sent whole.
export function wordsOf(query: string): RegExp | null {
  const words = (query.match(/-?"[^"]+"|\S+/g) ?? [])
    .filter((word) => !word.startsWith("-"))
    .map((word) => word.replace(/"/g, "").replace(/\*$/, "").trim())
    .filter(Boolean)
    .map((word) => word.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&").replace(/\s+/g, "\\s+"));
  return words.length ? new RegExp(`(${words.join("|")})`, "giu") : null;
}

export function Highlighted({ text, words }: { text: string; words: RegExp | null }) {
  if (!words) return text;
  return text.split(words).map((piece, place) => (place % 2 ? <mark key={place}>{piece}</mark> : piece));
}

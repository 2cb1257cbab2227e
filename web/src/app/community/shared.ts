// How many share a pattern, in words: drawn with noise once a week, before that only what all have.
export function shared(pattern: { sharedBy: number; numbersFrom: string | null }): string {
  return pattern.numbersFrom === null ? `shared by ${pattern.sharedBy} or more` : `shared by about ${pattern.sharedBy}`;
}

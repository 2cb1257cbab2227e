// What stood in the way of a mutation, as the words that the server chose.
import type { CombinedError } from "urql";

interface Result {
  __typename: string;
  message?: string;
  problems?: { path: readonly string[]; message: string }[];
}

export interface Refusal {
  message: string;
  fields: Record<string, string>;
}

export function refusal(result: Result | null | undefined, error: CombinedError | undefined): Refusal | null {
  if (error) return { message: said(error), fields: {} };
  if (!result || result.__typename.endsWith("Payload")) return null;
  const fields = (result.problems ?? []).map(({ path, message }) => [path.slice(1).join("."), message]);
  return { message: result.message ?? "This did not work", fields: Object.fromEntries(fields) };
}

export function said(error: CombinedError): string {
  if (error.networkError) return "The server cannot be reached. Your work is still here; try again.";
  return error.graphQLErrors[0]?.message ?? error.message;
}

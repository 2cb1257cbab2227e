// urql's useQuery, except that an answer stays on the page when asking again fails.
import { useRef } from "react";
import { type AnyVariables, type UseQueryArgs, type UseQueryResponse, useQuery as useUrqlQuery } from "urql";

export function useQuery<Data, Variables extends AnyVariables>(args: UseQueryArgs<Variables, Data>): UseQueryResponse<Data, Variables> {
  const [state, again] = useUrqlQuery<Data, Variables>(args);
  // Another page of the same list is the same question.
  const asked = JSON.stringify({ ...args.variables, after: null });
  const kept = useRef<{ asked: string; data: Data } | null>(null);
  if (state.data && !state.error) kept.current = { asked, data: state.data };
  const before = kept.current?.asked === asked ? kept.current.data : undefined;
  return [state.error && !state.data && before ? { ...state, data: before } : state, again];
}

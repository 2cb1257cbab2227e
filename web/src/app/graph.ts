// Documents are checked and typed against schema.graphql: a field that does not exist is an error
// of the build.
import { initGraphQLTada } from "gql.tada";

import type { introspection } from "./graph-types.d.ts";

export const graphql = initGraphQLTada<{
  introspection: introspection;
  scalars: { DateTime: string; Cursor: string; BigInt: number; EpochMillis: number };
}>();

export { readFragment } from "gql.tada";
export type { FragmentOf, ResultOf, VariablesOf } from "gql.tada";

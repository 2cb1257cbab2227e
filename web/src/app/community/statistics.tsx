// The community in numbers.
import { count } from "../amounts";
import { graphql } from "../graph";
import { said } from "../problems";
import { useQuery } from "../query";
import { Button, Failure, Loading } from "../ui/kit";

const STATISTICS = graphql(`
  query PatternStatistics {
    patternStatistics { totalPatterns contributorsAtLeast lastSeen topCategories { category count } }
  }
`);

export function Statistics({ onCategory }: { onCategory: (name: string) => void }) {
  const [{ data, error }] = useQuery({ query: STATISTICS });
  if (error && !data) return <Failure message={said(error)} />;
  if (!data) return <Loading what="statistics" />;
  const { totalPatterns, contributorsAtLeast, topCategories } = data.patternStatistics;
  return (
    <section className="card">
      <h2>In numbers</h2>
      <p>
        {count(totalPatterns, "pattern")} by {contributorsAtLeast} or more people.
      </p>
      <ul className="plain row">
        {topCategories.map((top) => (
          <li key={top.category}>
            <Button kind="bare" onPress={() => onCategory(top.category)}>
              {top.category} ({top.count})
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

// The community in numbers.
import { count } from "../amounts";
import { graphql } from "../graph";
import { said } from "../problems";
import { useQuery } from "../query";
import { Button, Failure, Loading } from "../ui/kit";

const STATISTICS = graphql(`
  query PatternStatistics {
    patternStatistics { totalPatterns contributors margin lastSeen topCategories { category count } }
  }
`);

export function Statistics({ onCategory }: { onCategory: (name: string) => void }) {
  const [{ data, error }] = useQuery({ query: STATISTICS });
  if (error && !data) return <Failure message={said(error)} />;
  if (!data) return <Loading what="statistics" />;
  const { totalPatterns, contributors, margin, topCategories } = data.patternStatistics;
  return (
    <section className="card">
      <h2>In numbers</h2>
      <p>
        {count(totalPatterns, "pattern")} by {margin === null ? `${contributors} or more` : `about ${contributors}`} people.
      </p>
      {margin !== null && (
        <p className="quiet small">Numbers of people are drawn once a week, most often to within {margin}, so that they give nobody away.</p>
      )}
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

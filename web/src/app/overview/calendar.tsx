// A square a day, darker the more happened; the same numbers as a table for whoever cannot see it.
interface Day {
  date: unknown;
  knowledge: number;
  sessions: number;
  summaries: number;
  total: number;
}

const STEPS = [0, 1, 5, 15, 40];

export function Calendar({ days }: { days: Day[] }) {
  const first = new Date(`${String(days[0]?.date)}T00:00:00Z`).getUTCDay();
  const changes = days.reduce((sum, day) => sum + day.total, 0);
  return (
    <>
      <div className="calendar" role="img" aria-label={`${changes} changes in ${days.length} days`}>
        {Array.from({ length: first }, (_, place) => (
          <span key={`-${place}`} className="no-day" />
        ))}
        {days.map((day) => (
          <span key={String(day.date)} data-step={STEPS.findLastIndex((least) => day.total >= least)} title={`${String(day.date)}: ${said(day)}`} />
        ))}
      </div>
      <details>
        <summary>{changes === 1 ? "1 change" : `${changes} changes`}, day by day</summary>
        <ul className="plain small">
          {days
            .filter(({ total }) => total > 0)
            .map((day) => (
              <li key={String(day.date)}>
                {String(day.date)}: {said(day)}
              </li>
            ))}
        </ul>
      </details>
    </>
  );
}

function said({ knowledge, sessions, summaries, total }: Day): string {
  return `${total} changes (${knowledge} of knowledge, ${sessions} of sessions, ${summaries} of summaries)`;
}

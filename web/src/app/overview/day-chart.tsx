// Tokens by day. The table beside it says the same in words.
import "uplot/dist/uPlot.min.css";

import { useEffect, useRef } from "react";
import UPlot from "uplot";

import { compact } from "../amounts";

interface DayTokens {
  day: string;
  input: number;
  output: number;
  cacheCreation: number;
  cacheRead: number;
}

const SERIES: [keyof Omit<DayTokens, "day">, string, string][] = [
  ["output", "Written", "--accent"],
  ["input", "Read", "--good"],
  ["cacheCreation", "Into the cache", "--bad"],
  ["cacheRead", "Out of the cache", "--quiet"],
];
const HEIGHT = 240;

export default function DayChart({ days, from }: { days: DayTokens[]; from: string }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const draw = () => plot(element, days, from);
    let chart = draw();
    const sized = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT }));
    sized.observe(element);
    const renew = () => {
      chart.destroy();
      chart = draw();
    };
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", renew);
    return () => {
      dark.removeEventListener("change", renew);
      sized.disconnect();
      chart.destroy();
    };
  }, [days, from]);
  return <div ref={box} className="chart" role="img" aria-label="Tokens by day; the table below says the same" />;
}

function plot(element: HTMLDivElement, days: DayTokens[], from: string): UPlot {
  const stroke = colour(element, "--quiet");
  const grid = { stroke: colour(element, "--line"), width: 1 };
  const powers = { ...grid, filter: (_chart: UPlot, splits: number[]) => splits.map((at) => (Number.isInteger(Math.log10(at)) ? at : null)) };
  const data = [days.map(({ day }) => Date.parse(day) / 1000), ...SERIES.map(([name]) => days.map((day) => day[name]))];
  return new UPlot(
    {
      width: element.clientWidth,
      height: HEIGHT,
      tzDate: (seconds) => UPlot.tzDate(new Date(seconds * 1000), "UTC"),
      scales: { x: { range: () => [Date.parse(from) / 1000 - 43_200, Date.now() / 1000] }, y: { distr: 3, log: 10, clamp: 1 } },
      axes: [
        { stroke, grid, ticks: grid },
        { stroke, grid: powers, ticks: powers, size: 60, values: (_chart, ticks) => ticks.map((tick) => (tick ? compact(tick) : "")) },
      ],
      series: [
        { value: "{YYYY}-{MM}-{DD}" },
        ...SERIES.map(([, label, name]) => ({
          label,
          stroke: colour(element, name),
          width: 2,
          points: { size: 5 },
          value: (_chart: UPlot, amount: number | null) => (amount === null ? "" : compact(amount)),
        })),
      ],
    },
    data as UPlot.AlignedData,
    element,
  );
}

// A canvas knows no light-dark(): the browser resolves it on an element.
function colour(element: HTMLElement, name: string): string {
  const probe = element.appendChild(document.createElement("i"));
  probe.style.color = `var(${name})`;
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

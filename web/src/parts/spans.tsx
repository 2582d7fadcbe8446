import type { Metric } from "../analysis";

/** Two values of one metric with their intervals, one above the other, around zero. */
export function Spans({ metrics, top }: { metrics: (Metric | undefined)[]; top: number }) {
  const x = (value: number) => 90 + 84 * Math.max(-1, Math.min(1, value / (top || 1)));
  return (
    <svg className="spans" viewBox="0 0 180 30" width="180" height="30" aria-hidden="true">
      <line className="grid" x1={90} x2={90} y1={0} y2={30} />
      {metrics.map((metric, index) => {
        if (typeof metric?.value !== "number") return null;
        const height = 9 + 12 * index;
        return (
          <g key={index} className={index ? "second" : "first"}>
            {metric.interval && <line x1={x(metric.interval[0])} x2={x(metric.interval[1])} y1={height} y2={height} />}
            <circle cx={x(metric.value)} cy={height} r={4} />
          </g>
        );
      })}
    </svg>
  );
}

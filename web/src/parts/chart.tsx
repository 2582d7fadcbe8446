import Box from "@cloudscape-design/components/box";
import type { Point } from "../metrics";

const W = 640;
const H = 180;
const PAD = { left: 56, right: 12, top: 12, bottom: 22 };

/** One metric over the job's time, as a plain line. */
export function Chart({ name, points }: { name: string; points: Point[] }) {
  const values = points.map((point) => point.value);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const span = high - low || Math.abs(high) || 1;
  const x = (index: number) => PAD.left + (index / Math.max(points.length - 1, 1)) * (W - PAD.left - PAD.right);
  const y = (value: number) => H - PAD.bottom - ((value - low) / span) * (H - PAD.top - PAD.bottom);
  const ticks = high === low ? [low] : [low, low + span / 2, high];
  const path = points.map((point, index) => `${index ? "L" : "M"}${x(index).toFixed(1)},${y(point.value).toFixed(1)}`).join("");
  return (
    <figure style={{ margin: 0 }}>
      <Box variant="h4" tagOverride="figcaption">{name}: {values.at(-1)?.toPrecision(5)}</Box>
      <svg className="chart" viewBox={`0 0 ${W} ${H}`} role="img" aria-label={`${name} over ${points.length} values, from ${values[0]} to ${values.at(-1)}`}>
        {ticks.map((tick) => (
          <g key={tick}>
            <line className="grid" x1={PAD.left} x2={W - PAD.right} y1={y(tick)} y2={y(tick)} />
            <text x={PAD.left - 6} y={y(tick) + 4} textAnchor="end">{tick.toPrecision(4)}</text>
          </g>
        ))}
        <path className="line" d={path} />
        {points.length === 1 && <circle className="dot" cx={x(0)} cy={y(values[0] ?? 0)} r={3.5} />}
        <text x={PAD.left} y={H - 6}>1</text>
        <text x={W - PAD.right} y={H - 6} textAnchor="end">{points.length}</text>
      </svg>
    </figure>
  );
}

import type { Ranked } from "../analysis";

const LINE = 24;
const MOST = 20;
const [LEFT, RIGHT, WIDTH] = [250, 470, 720];

/** The ranks of features in two analyses, joined by lines; what rose and what fell is told by colour. */
export function Slopes({ first, second, names }: { first: Ranked[]; second: Ranked[]; names: [string, string] }) {
  const left = first.slice(0, MOST);
  const right = second.slice(0, MOST);
  const place = (list: Ranked[], feature: string) => list.findIndex((item) => item.feature === feature);
  const y = (rank: number) => 34 + rank * LINE;
  const height = y(Math.max(left.length, right.length));
  return (
    <svg className="chart slopes" viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label={`Ranks of features: ${names[0]} and ${names[1]}`}>
      <text x={LEFT} y={14} textAnchor="end" className="head">{cut(names[0])}</text>
      <text x={RIGHT} y={14} className="head">{cut(names[1])}</text>
      {left.map((item, rank) => {
        const other = place(right, item.feature);
        if (other < 0) return null;
        const turn = other < rank ? "rose" : other > rank ? "fell" : "same";
        return <line key={item.feature} className={turn} x1={LEFT + 8} x2={RIGHT - 8} y1={y(rank)} y2={y(other)}><title>{`${item.feature}: number ${rank + 1}, then ${other + 1}`}</title></line>;
      })}
      {left.map((item, rank) => <text key={item.feature} x={LEFT} y={y(rank) + 4} textAnchor="end">{`${cut(item.feature)}  ${rank + 1}`}</text>)}
      {right.map((item, rank) => <text key={item.feature} x={RIGHT} y={y(rank) + 4}>{`${rank + 1}  ${cut(item.feature)}`}</text>)}
    </svg>
  );
}

const cut = (text: string) => (text.length > 30 ? `${text.slice(0, 29)}…` : text);

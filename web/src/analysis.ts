/** What analysis.json and analysis_config.json say, and where two of them differ. Pure functions. */

export type Value = number | string | null;

interface Written {
  name: string;
  description: string;
  value: Value;
  confidence_interval?: [number | string, number | string] | null;
}

interface Stage {
  facets?: Record<string, { value_or_threshold: string; metrics: Written[] }[]>;
}

export interface Analysis {
  pre_training_bias_metrics?: Stage;
  post_training_bias_metrics?: Stage;
  explanations?: { kernel_shap?: Record<string, { global_shap_values: Record<string, number>; expected_value: number }> };
}

export interface Metric {
  key: string;
  stage: string;
  group: string;
  name: string;
  description: string;
  value: Value;
  interval: [number, number] | null;
}

const STAGES = { pre_training_bias_metrics: "Data", post_training_bias_metrics: "Predictions" } as const;

export function metricsOf(analysis: Analysis): Metric[] {
  return Object.entries(STAGES).flatMap(([key, stage]) =>
    Object.entries(analysis[key as keyof typeof STAGES]?.facets ?? {}).flatMap(([facet, values]) =>
      values.flatMap(({ value_or_threshold: chosen, metrics }) =>
        metrics.map(({ name, description, value, confidence_interval: ends }) => ({
          key: JSON.stringify([stage, facet, chosen, name]),
          stage,
          group: `${facet}: ${chosen}`,
          name,
          description,
          value,
          interval: ends ? ([Number(ends[0]), Number(ends[1])] as [number, number]) : null,
        })),
      ),
    ),
  );
}

export interface Pair {
  key: string;
  metric: Metric;
  first?: Metric;
  second?: Metric;
  difference: number | null;
  /** Whether the two intervals have values in common; null where one is missing. */
  overlap: boolean | null;
}

/** The metrics of two analyses side by side, in the order of the first. */
export function pairs(first: Analysis, second: Analysis): Pair[] {
  const left = new Map(metricsOf(first).map((metric) => [metric.key, metric]));
  const right = new Map(metricsOf(second).map((metric) => [metric.key, metric]));
  return [...new Set([...left.keys(), ...right.keys()])].flatMap((key) => {
    const [a, b] = [left.get(key), right.get(key)];
    const metric = a ?? b;
    if (!metric) return [];
    const numbers = typeof a?.value === "number" && typeof b?.value === "number" ? [a.value, b.value] : null;
    const difference = numbers ? (numbers[1] ?? 0) - (numbers[0] ?? 0) : null;
    return [{ key, metric, first: a, second: b, difference, overlap: overlap(a?.interval, b?.interval) }];
  });
}

function overlap(a: [number, number] | null | undefined, b: [number, number] | null | undefined): boolean | null {
  return a && b ? a[0] <= b[1] && b[0] <= a[1] : null;
}

export interface Ranked {
  feature: string;
  value: number;
}

/** The features of one output, the most important first; without a name, of the first output. */
export function ranking(analysis: Analysis, output?: string): Ranked[] {
  const outputs = analysis.explanations?.kernel_shap ?? {};
  const values = outputs[output ?? Object.keys(outputs)[0] ?? ""]?.global_shap_values ?? {};
  return Object.entries(values)
    .map(([feature, value]) => ({ feature, value }))
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
}

/** The outputs that both analyses explain. */
export function commonOutputs(first: Analysis, second: Analysis): string[] {
  const others = second.explanations?.kernel_shap ?? {};
  return Object.keys(first.explanations?.kernel_shap ?? {}).filter((output) => output in others);
}

export interface Setting {
  path: string;
  first?: string;
  second?: string;
}

/** The settings of two configurations that are not the same, by their path. */
export function differingSettings(first: unknown, second: unknown): Setting[] {
  const [left, right] = [leaves(first), leaves(second)];
  return [...new Set([...left.keys(), ...right.keys()])]
    .filter((path) => left.get(path) !== right.get(path))
    .map((path) => ({ path, first: left.get(path), second: right.get(path) }));
}

function leaves(value: unknown, path = ""): Map<string, string> {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return new Map([[path, JSON.stringify(value)]]);
  return new Map(Object.entries(value).flatMap(([key, inner]) => [...leaves(inner, path ? `${path}.${key}` : key)]));
}

export function shown(value: Value | undefined): string {
  return typeof value === "number" ? value.toFixed(4) : (value ?? "–");
}

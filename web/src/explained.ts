/** What one feature (or one unit of a text) adds to each output of the model. */
export interface Effect {
  name: string;
  values: number[];
}

/** An answer of Clarify's explainer: a record that was not explained is null. */
export interface Explained {
  predictions: string;
  labels: string[];
  records: (Effect[] | null)[];
}

interface Attribution {
  attribution: number[];
  description?: { partial_text: string };
}

interface Feature {
  feature_header?: string;
  attributions: Attribution[];
}

/** undefined for any other answer. */
export function explained(text: string): Explained | undefined {
  if (!text.startsWith('{"version"')) return undefined;
  const { predictions, label_headers, explanations } = parsed(text) ?? {};
  if (!predictions || !explanations) return undefined;
  const records: (Feature[] | null)[] = explanations.kernel_shap ?? [];
  const found = records.map((record) => record && record.flatMap(effects));
  const outputs = found.find((record) => record?.length)?.[0]?.values.length ?? 0;
  const labels = label_headers ?? Array.from({ length: outputs }, (_, at) => `output ${at + 1}`);
  return { predictions: predictions.data, labels, records: found };
}

/** The strongest effects on an output, and the largest of them, for a scale. */
export function strongest(record: Effect[], output: number, most: number): [Effect[], number] {
  const size = (effect: Effect) => Math.abs(effect.values[output] ?? 0);
  const ranked = [...record].sort((one, other) => size(other) - size(one)).slice(0, most);
  return [ranked, (ranked[0] && size(ranked[0])) || 1];
}

function effects(feature: Feature, at: number): Effect[] {
  const name = feature.feature_header ?? `feature ${at + 1}`;
  return feature.attributions.map(({ attribution, description }) => ({ name: description?.partial_text ?? name, values: attribution }));
}

function parsed(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

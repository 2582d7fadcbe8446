import { expect, test } from "vitest";
import { type Analysis, commonOutputs, differingSettings, pairs, ranking } from "./analysis";

function analysis(value: number | string, interval: [number, number] | null, shap: Record<string, number>): Analysis {
  const metric = { name: "DPL", description: "Difference", value, confidence_interval: interval };
  return {
    pre_training_bias_metrics: { facets: { sex: [{ value_or_threshold: "F", metrics: [metric] }] } },
    explanations: { kernel_shap: { label0: { global_shap_values: shap, expected_value: 0 } } },
  };
}

const FIRST = analysis(0.2, [0.1, 0.3], { age: 0.1, pay: -0.4 });

test("metrics stand side by side with their difference and whether their intervals overlap", () => {
  const [apart] = pairs(FIRST, analysis(0.5, [0.4, 0.6], {}));
  expect(apart?.difference).toBeCloseTo(0.3);
  expect(apart?.overlap).toBe(false);
  expect(pairs(FIRST, analysis(0.3, [0.25, 0.4], {}))[0]?.overlap).toBe(true);
});

test("what has no number or no counterpart has no difference", () => {
  expect(pairs(FIRST, analysis("Infinity", null, {}))[0]).toMatchObject({ difference: null, overlap: null });
  expect(pairs(FIRST, {})[0]).toMatchObject({ second: undefined, difference: null });
});

test("features are ranked by size, whatever their sign", () => {
  expect(ranking(FIRST).map((item) => item.feature)).toEqual(["pay", "age"]);
  expect(commonOutputs(FIRST, {})).toEqual([]);
});

test("only the settings that differ are told", () => {
  const found = differingSettings({ label: "y", methods: { shap: { seed: 1 } } }, { label: "y", methods: { shap: { seed: 2 }, pdp: {} } });
  expect(found).toEqual([{ path: "methods.shap.seed", first: "1", second: "2" }]);
});

import { expect, test } from "vitest";
import { explained, strongest } from "./explained";

const answer = (explanations: object, further: object = {}) =>
  JSON.stringify({ version: "1.0", predictions: { content_type: "text/csv", data: "0.6,0.3" }, ...further, explanations });

test("features have their names or their places; a record that is not explained is null", () => {
  const named = { feature_header: "Age", attributions: [{ attribution: [0.25] }] };
  const found = explained(answer({ kernel_shap: [null, [named, { attributions: [{ attribution: [-0.5] }] }]] }));
  expect(found?.predictions).toBe("0.6,0.3");
  expect(found?.labels).toEqual(["output 1"]);
  expect(found?.records).toEqual([null, [{ name: "Age", values: [0.25] }, { name: "feature 2", values: [-0.5] }]]);
});

test("a text has an effect for each unit", () => {
  const units = ["good", "slicer"].map((partial_text, start_idx) => ({ attribution: [0.1, -0.1], description: { partial_text, start_idx } }));
  const found = explained(answer({ kernel_shap: [[{ feature_type: "text", attributions: units }]] }, { label_headers: ["+", "-"] }));
  expect(found?.labels).toEqual(["+", "-"]);
  expect(found?.records[0]?.map((effect) => effect.name)).toEqual(["good", "slicer"]);
});

test("other answers are none", () => {
  expect(explained("0.5")).toBeUndefined();
  expect(explained('{"version": broken')).toBeUndefined();
  expect(explained('{"version":"1.0"}')).toBeUndefined();
  expect(explained(answer({}))?.records).toEqual([]);
});

test("the strongest come first, whatever their sign", () => {
  const record = [1, -3, 2].map((value, at) => ({ name: `${at}`, values: [0, value] }));
  const [ranked, largest] = strongest(record, 1, 2);
  expect(ranked.map((effect) => effect.name)).toEqual(["1", "2"]);
  expect(largest).toBe(3);
  expect(strongest(record, 0, 2)[1]).toBe(1);
});

import { expect, test } from "vitest";
import { series } from "./metrics";
import { boto3, cli, javascript } from "./snippets";

const call = { service: "sagemaker", operation: "StopTrainingJob", input: { TrainingJobName: "it's" } } as const;

test("a call in three languages", () => {
  expect(boto3(call)).toContain('client.stop_training_job(\n    TrainingJobName="it\'s",\n)');
  expect(cli(call)).toContain("sagemaker stop-training-job \\\n    --training-job-name 'it'\\''s'");
  expect(javascript(call)).toContain('import { SageMakerClient, StopTrainingJobCommand } from "@aws-sdk/client-sagemaker"');
});

test("metrics are found by the job's own patterns, and only where they match", () => {
  const lines = [
    { timestamp: 1, message: "loss=0.5;" },
    { timestamp: 2, message: "nothing" },
    { timestamp: 3, message: "loss=0.25;" },
  ];
  const found = series(lines, [{ Name: "loss", Regex: "loss=([0-9.]+);" }, { Name: "bad", Regex: "(" }]);
  expect([...found]).toEqual([["loss", [{ time: 1, value: 0.5 }, { time: 3, value: 0.25 }]]]);
});

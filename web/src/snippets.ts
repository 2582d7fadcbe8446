/** The call that a page makes, written for boto3, the CLI and JavaScript. Pure functions. */

export interface ApiCall {
  service: "sagemaker" | "sagemaker-runtime" | "s3";
  /** CreateTrainingJob */
  operation: string;
  input: Record<string, unknown>;
}

const snake = (name: string) => name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();
const CLIENTS = { sagemaker: "SageMaker", "sagemaker-runtime": "SageMakerRuntime", s3: "S3" };

export function boto3({ service, operation, input }: ApiCall): string {
  const fields = Object.entries(input).map(([name, value]) => `    ${name}=${python(value)},\n`);
  return `import boto3\n\nclient = boto3.Session(profile_name="clary").client("${service}")\nclient.${snake(operation)}(${fields.length ? `\n${fields.join("")}` : ""})\n`;
}

export function cli({ service, operation, input }: ApiCall): string {
  const command = snake(operation).replaceAll("_", "-");
  const where = service === "s3" ? "s3api" : service;
  const fields = Object.entries(input).map(([name, value]) => ` \\\n    --${snake(name).replaceAll("_", "-")} ${shell(value)}`);
  return `AWS_PROFILE=clary aws ${where} ${command}${fields.join("")}\n`;
}

export function javascript({ service, operation, input }: ApiCall): string {
  const client = `${CLIENTS[service]}Client`;
  return `import { ${client}, ${operation}Command } from "@aws-sdk/client-${service}";\n\nconst client = new ${client}({ profile: "clary" });\nawait client.send(new ${operation}Command(${JSON.stringify(input, null, 2)}));\n`;
}

function python(value: unknown): string {
  return JSON.stringify(value).replace(/\btrue\b/g, "True").replace(/\bfalse\b/g, "False").replace(/\bnull\b/g, "None");
}

function shell(value: unknown): string {
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return `'${text.replaceAll("'", "'\\''")}'`;
}

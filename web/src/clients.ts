/** AWS's own SDK as the only way to the server; each client is loaded with the first page that needs it. */
import { current, REGION, signOut } from "./session";

function config() {
  const credentials = current();
  if (!credentials) {
    signOut();
    throw new Error("The session is over");
  }
  return { endpoint: location.origin, region: REGION, credentials, maxAttempts: 2 };
}

export async function sagemaker() {
  const sdk = await import("@aws-sdk/client-sagemaker");
  return { sdk, client: new sdk.SageMakerClient(config()) };
}

export async function runtime() {
  const sdk = await import("@aws-sdk/client-sagemaker-runtime");
  return { sdk, client: new sdk.SageMakerRuntimeClient(config()) };
}

export async function s3() {
  const sdk = await import("@aws-sdk/client-s3");
  return { sdk, client: new sdk.S3Client({ ...config(), forcePathStyle: true }) };
}

export async function logs() {
  const sdk = await import("@aws-sdk/client-cloudwatch-logs");
  return { sdk, client: new sdk.CloudWatchLogsClient(config()) };
}

export async function objectText(bucket: string, key: string, limit = 0): Promise<string> {
  const { sdk, client } = await s3();
  const Range = limit ? `bytes=0-${limit - 1}` : undefined;
  const answer = await client.send(new sdk.GetObjectCommand({ Bucket: bucket, Key: key, Range }));
  return (await answer.Body?.transformToString()) ?? "";
}

/** The first thousand keys below a prefix. */
export async function objectKeys(bucket: string, prefix: string): Promise<string[]> {
  const { sdk, client } = await s3();
  const answer = await client.send(new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
  return (answer.Contents ?? []).map((object) => object.Key ?? "");
}

/** Hand an object to the browser's downloads. */
export async function download(Bucket: string, Key: string) {
  const { client, sdk } = await s3();
  const { getSignedUrl } = await import("@aws-sdk/s3-request-presigner");
  const ResponseContentDisposition = `attachment; filename*=UTF-8''${encodeURIComponent(Key.split("/").pop() ?? Key)}`;
  location.assign(await getSignedUrl(client, new sdk.GetObjectCommand({ Bucket, Key, ResponseContentDisposition }), { expiresIn: 60 }));
}

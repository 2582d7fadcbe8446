// The AWS SDK for JavaScript by the profile alone: S3, a look at training jobs, an endpoint, two errors.
const { S3Client, PutObjectCommand, GetObjectCommand } = require("@aws-sdk/client-s3");
const { STSClient, GetCallerIdentityCommand } = require("@aws-sdk/client-sts");
const sagemaker = require("@aws-sdk/client-sagemaker");
const runtime = require("@aws-sdk/client-sagemaker-runtime");

const [endpoint, name] = process.argv.slice(2);

async function main() {
  const told = { errors: [] };
  told.account = (await new STSClient().send(new GetCallerIdentityCommand())).Account;

  const s3 = new S3Client();
  await s3.send(new PutObjectCommand({ Bucket: name, Key: "js/ü", Body: "from JavaScript" }));
  const found = await s3.send(new GetObjectCommand({ Bucket: name, Key: "js/ü" }));
  told.object = await found.Body.transformToString();

  const client = new sagemaker.SageMakerClient();
  const waited = { client, maxWaitTime: 300 };
  const done = await sagemaker.waitUntilTrainingJobCompletedOrStopped(waited, { TrainingJobName: name });
  told.job = done.reason.TrainingJobStatus;
  told.jobs = [];
  for await (const page of sagemaker.paginateListTrainingJobs({ client, pageSize: 2 }, {}))
    told.jobs.push(...page.TrainingJobSummaries.map((job) => job.TrainingJobName));

  const request = { EndpointName: endpoint, ContentType: "text/csv", Body: "59,2,32.1,101,157,93.2,38,4,4.8598,87" };
  const answer = await new runtime.SageMakerRuntimeClient().send(new runtime.InvokeEndpointCommand(request));
  told.answer = Buffer.from(answer.Body).toString();

  for (const command of [
    new sagemaker.DescribeTrainingJobCommand({ TrainingJobName: "not-there" }),
    new sagemaker.ListPipelinesCommand({}),
  ])
    await client.send(command).catch((error) => told.errors.push(error.name));
  console.log("told: " + JSON.stringify(told));
}

main();

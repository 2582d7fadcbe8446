/** Who is signed in: short-lived credentials in this tab's session storage, and nowhere else. */
import type { Credentials } from "@aws-sdk/client-sts";

export interface Session {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  /** Epoch milliseconds. */
  expires?: number;
}

const KEY = "clary.session";
export const REGION = "us-east-1";

export function current(): Session | null {
  const text = sessionStorage.getItem(KEY);
  if (!text) return null;
  const session = JSON.parse(text) as Session;
  return session.expires && session.expires < Date.now() ? null : session;
}

export function keep(session: Session): void {
  sessionStorage.setItem(KEY, JSON.stringify(session));
}

export function signOut(): void {
  sessionStorage.removeItem(KEY);
  location.hash = "";
  location.reload();
}

/** The one-time token of `#token=...`, taken out of the address so that it is not bookmarked. */
export function tokenInAddress(): string | null {
  const found = /^#token=(.+)$/.exec(location.hash);
  if (!found?.[1]) return null;
  history.replaceState(null, "", location.pathname + "#/");
  return found[1];
}

export async function signInByToken(token: string): Promise<void> {
  const { STSClient, AssumeRoleWithWebIdentityCommand } = await import("@aws-sdk/client-sts");
  const sts = new STSClient({ endpoint: location.origin, region: REGION, maxAttempts: 1, credentials: { accessKeyId: "-", secretAccessKey: "-" } });
  const answer = await sts.send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: "arn:aws:iam::000000000000:role/ClaryStudio",
      RoleSessionName: "studio",
      WebIdentityToken: token,
    }),
  );
  keep(fromSts(answer.Credentials));
}

/** Checks keys that were typed in; throws AWS's own error. */
export async function signInByKeys(session: Session): Promise<void> {
  const { STSClient, GetCallerIdentityCommand } = await import("@aws-sdk/client-sts");
  const sts = new STSClient({ endpoint: location.origin, region: REGION, maxAttempts: 1, credentials: session });
  await sts.send(new GetCallerIdentityCommand({}));
  keep(session);
}

function fromSts(found: Credentials | undefined): Session {
  if (!found?.AccessKeyId || !found.SecretAccessKey) throw new Error("The sign-in gave no credentials");
  return {
    accessKeyId: found.AccessKeyId,
    secretAccessKey: found.SecretAccessKey,
    sessionToken: found.SessionToken,
    expires: found.Expiration?.getTime(),
  };
}

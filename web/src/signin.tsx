import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useEffect, useState } from "react";
import { signInByKeys, signInByToken, tokenInAddress } from "./session";

const token = tokenInAddress();
let started = false;

export function SignIn() {
  const [busy, setBusy] = useState(Boolean(token));
  const [problem, setProblem] = useState("");
  const [key, setKey] = useState("");
  const [secret, setSecret] = useState("");
  const [session, setSession] = useState("");

  const attempt = (signIn: Promise<void>) => {
    setBusy(true);
    setProblem("");
    signIn
      .then(() => location.reload())
      .catch((error: Error) => {
        setProblem(error.message);
        setBusy(false);
      });
  };
  useEffect(() => {
    if (!token || started) return;
    started = true; // the link is good for one use
    attempt(signInByToken(token));
  }, []);

  const submit = () => attempt(signInByKeys({ accessKeyId: key, secretAccessKey: secret, sessionToken: session || undefined }));
  return (
    <main className="signin">
      <div className="brand">
        <img src="/mark.svg" alt="" />
        <Box variant="h1">Clary Studio</Box>
      </div>
      <SpaceBetween size="l">
        {problem && <Alert type="error" header="Not signed in">{problem}</Alert>}
        {busy && token && !problem && <Alert type="info">Signing in with the link ...</Alert>}
        <Container header={<Box variant="h2">Sign in</Box>}>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              submit();
            }}
          >
            <SpaceBetween size="m">
              <Box variant="p">
                Open the link that <code>clary up</code> printed, or run <code>clary link</code> for a fresh one. Or use an access key:
              </Box>
              <FormField label="Access key ID">
                <Input value={key} onChange={({ detail }) => setKey(detail.value)} autoComplete="username" />
              </FormField>
              <FormField label="Secret access key">
                <Input value={secret} type="password" onChange={({ detail }) => setSecret(detail.value)} autoComplete="current-password" />
              </FormField>
              <FormField label="Session token" description="Only for temporary credentials">
                <Input value={session} type="password" onChange={({ detail }) => setSession(detail.value)} autoComplete={false} />
              </FormField>
              <Button variant="primary" formAction="submit" loading={busy} disabled={!key || !secret}>
                Sign in
              </Button>
            </SpaceBetween>
          </form>
        </Container>
      </SpaceBetween>
    </main>
  );
}

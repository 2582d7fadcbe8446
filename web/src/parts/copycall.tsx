import Button from "@cloudscape-design/components/button";
import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";
import Modal from "@cloudscape-design/components/modal";
import Tabs from "@cloudscape-design/components/tabs";
import { useState } from "react";
import { type ApiCall, boto3, cli, javascript } from "../snippets";

/** The page's own call as code: what the Studio does, a script can do. */
export function CopyCall({ call }: { call: ApiCall }) {
  const [open, setOpen] = useState(false);
  const texts = { boto3: boto3(call), CLI: cli(call), JavaScript: javascript(call) };
  return (
    <>
      <Button iconName="script" onClick={() => setOpen(true)}>
        As code
      </Button>
      <Modal visible={open} onDismiss={() => setOpen(false)} size="large" header={call.operation} closeAriaLabel="Close">
        <Tabs
          tabs={Object.entries(texts).map(([label, text]) => ({
            id: label,
            label,
            content: (
              <>
                <pre className="code">{text}</pre>
                <CopyToClipboard copyButtonText="Copy" copySuccessText="Copied" copyErrorText="Could not copy" textToCopy={text} />
              </>
            ),
          }))}
        />
      </Modal>
    </>
  );
}

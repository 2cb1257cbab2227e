// Everything that the account keeps, as one file.
import { useState } from "react";

import { useDownload } from "../ask";
import { Button } from "../ui/kit";
import { useToast } from "../ui/toasts";

export function Export() {
  const download = useDownload();
  const say = useToast();
  const [busy, setBusy] = useState(false);
  const take = () => {
    setBusy(true);
    download("/api/account/export", "account.tar.zst")
      .catch((error: Error) => say(error.message))
      .finally(() => setBusy(false));
  };
  return (
    <section className="card spaced" aria-labelledby="export">
      <div className="row">
        <h2 id="export" className="grow">
          Take everything with you
        </h2>
        <Button onPress={take} isDisabled={busy}>
          {busy ? "Packing…" : "Download all of it"}
        </Button>
      </div>
      <p className="quiet small">One archive (.tar.zst) with your conversations byte for byte and all else that the account keeps here.</p>
    </section>
  );
}

import { createHash } from "node:crypto";
import { pack } from "tar-stream";
import { type Architecture, pauseProgram } from "./pause-program.ts";

/** The sandbox image's name in each node's containerd; it is made on the node, and pulled from nowhere. */
export const PAUSE_IMAGE = "localhost/coxswain/pause:1";

/** The sandbox image as an OCI archive (a tar file) that containerd imports under `PAUSE_IMAGE`. */
export async function pauseImageArchive(architecture: Architecture): Promise<Buffer> {
  const layer = await tar([{ name: "pause", content: pauseProgram(architecture), mode: 0o755 }]);
  const config = json({
    architecture,
    os: "linux",
    config: { Entrypoint: ["/pause"], User: "65535:65535" },
    rootfs: { type: "layers", diff_ids: [digest(layer)] },
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: descriptor("application/vnd.oci.image.config.v1+json", config),
    layers: [descriptor("application/vnd.oci.image.layer.v1.tar", layer)],
  });
  const index = json({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [
      {
        ...descriptor("application/vnd.oci.image.manifest.v1+json", manifest),
        annotations: { "io.containerd.image.name": PAUSE_IMAGE },
      },
    ],
  });
  return await tar([
    { name: "oci-layout", content: json({ imageLayoutVersion: "1.0.0" }) },
    { name: "index.json", content: index },
    ...[layer, config, manifest].map((blob) => ({ name: `blobs/${digest(blob).replace(":", "/")}`, content: blob })),
  ]);
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

const digest = (content: Uint8Array): string => `sha256:${createHash("sha256").update(content).digest("hex")}`;

const descriptor = (mediaType: string, content: Uint8Array) => ({
  mediaType,
  digest: digest(content),
  size: content.length,
});

/** Times are fixed, so that the same files make the same archive, and the same digests. */
async function tar(files: { name: string; content: Uint8Array; mode?: number }[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, content, mode = 0o644 } of files) {
    archive.entry({ name, mode, mtime: new Date(0) }, Buffer.from(content));
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

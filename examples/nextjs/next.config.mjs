import { join } from "node:path";

// The client lies in this repository, above the example: whoever installs it needs none of this.
export default { turbopack: { root: join(import.meta.dirname, "..", "..") } };

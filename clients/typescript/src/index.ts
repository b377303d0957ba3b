export { Comptoir } from "./client.js";
export {
  ComptoirError,
  ComptoirUnreachable,
  every,
  type Answer,
  type FieldError,
  type Keyed,
  type MayBeKeyed,
  type Options,
  type Settings,
} from "./core.js";
export type * from "./types.js";

// The little of Node, React and JSX that the examples and the tests use: their real types are large.

declare const process: {
  readonly env: Record<string, string | undefined>;
  exitCode: number | undefined;
};

declare module "react" {
  export type ReactNode = unknown;
  export function useRef<Value>(value: Value): { current: Value };
  export function useState<Value>(value: Value): [Value, (value: Value) => void];
}

declare namespace JSX {
  type Element = unknown;
  interface IntrinsicElements {
    [name: string]: Record<string, unknown>;
  }
  interface IntrinsicAttributes {
    key?: string;
  }
  interface ElementChildrenAttribute {
    children: unknown;
  }
}

import type { CreditsBadge, UpsellDialog } from './embed';
import type { DetailedHTMLProps, HTMLAttributes } from 'react';

type Tag<Of> = DetailedHTMLProps<HTMLAttributes<Of>, Of> & { [attribute: string]: unknown };

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'credits-badge': Tag<CreditsBadge>;
      'upsell-dialog': Tag<UpsellDialog>;
    }
  }
}

import type { CreditsBadge, UpsellDialog } from './embed';
import type { DetailedHTMLProps, HTMLAttributes } from 'react';

type Element<Of> = DetailedHTMLProps<HTMLAttributes<Of>, Of> & { [attribute: string]: unknown };

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'credits-badge': Element<CreditsBadge>;
      'upsell-dialog': Element<UpsellDialog>;
    }
  }
}

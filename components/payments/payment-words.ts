import { getTranslations } from 'next-intl/server'
import type { Tone } from '@/components/ui/tones'
import type { PaymentStatus, ReviewReason } from '@/lib/payments'

export const PAYMENT_TONES: Record<PaymentStatus, Tone> = {
  created: 'info',
  awaiting: 'info',
  confirming: 'info',
  underpaid: 'warning',
  expired: 'neutral',
  cancelled: 'neutral',
  needs_review: 'warning',
  declined: 'bad',
  credited: 'good',
  overpaid: 'good',
  late: 'warning',
  disputed: 'bad',
  charged_back: 'bad',
  refunded: 'neutral',
}

const REASONS: readonly ReviewReason[] = [
  'underpaid',
  'paid_late',
  'wrong_currency',
  'order_mismatch',
  'test_payment',
  'second_invoice',
  'paid_after_decline',
  'redeposit',
  'not_confirmed',
]

/** Why a person has to look, in words; an empty text for a reason nobody has words for. */
export async function sayReviewReason(reason: unknown): Promise<string> {
  const say = await getTranslations('payments')
  const known = REASONS.find((each) => each === reason)
  return known ? say(`reason_${known}`) : ''
}

/** A payment provider as people know it; its own name when we have no words for it. */
export async function nameProvider(provider: string): Promise<{ name: string; help: string }> {
  const say = await getTranslations('payments')
  switch (provider) {
    case 'fakepay':
      return { name: say('provider_fakepay'), help: say('provider_fakepay_help') }
    case 'cryptocloud':
      return { name: say('provider_cryptocloud'), help: say('provider_cryptocloud_help') }
    case 'btcpay':
      return { name: say('provider_btcpay'), help: say('provider_btcpay_help') }
    case 'stripe':
      return { name: say('provider_stripe'), help: say('provider_stripe_help') }
    case 'nowpayments':
      return { name: say('provider_nowpayments'), help: say('provider_nowpayments_help') }
    case 'cryptomus':
      return { name: say('provider_cryptomus'), help: say('provider_cryptomus_help') }
    case 'yookassa':
      return { name: say('provider_yookassa'), help: say('provider_yookassa_help') }
    default:
      return { name: provider, help: '' }
  }
}

import { defineSettings } from '@/lib/settings'
import { sellerSchema, taxSchema } from './schemas'

/** Who issues papers, what stands at their foot, and how their numbers begin. */
export const paperSeller = defineSettings('papers.seller', sellerSchema, {
  name: '',
  address: '',
  taxId: '',
  email: '',
  note: '',
  receiptPrefix: 'R',
  invoicePrefix: 'I',
})

/** Which tax is contained in a price, by the country of the buyer's billing details. A country without a row has no tax line. */
export const paperTax = defineSettings('papers.tax', taxSchema, { rates: [] })

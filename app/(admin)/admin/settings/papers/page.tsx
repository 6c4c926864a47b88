import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { ActionForm } from '@/components/ui/action-form'
import { Card } from '@/components/ui/card'
import { TextAreaField, TextField } from '@/components/ui/field'
import { PageHeader } from '@/components/ui/page-header'
import { SubmitButton } from '@/components/ui/submit-button'
import { env } from '@/lib/env'
import { paperNumber, paperSeller, paperTax, taxText } from '@/lib/papers'
import { requireAdmin } from '@/lib/web'
import { saveSellerAction, saveTaxAction } from './actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('adminSettings'))('papersTitle') }
}

export default async function PaperSettingsPage() {
  await requireAdmin('settings.write')
  const [settings, say, seller, tax] = await Promise.all([
    getTranslations('adminSettings'),
    getTranslations('papers'),
    paperSeller.readFresh(),
    paperTax.readFresh(),
  ])
  const example = (prefix: string) => paperNumber({ prefix, year: 2026, number: 1 })
  return (
    <>
      <PageHeader
        back={
          <Link href="/admin/settings" className="text-accent underline">
            {settings('back')}
          </Link>
        }
        title={settings('papersTitle')}
        lead={settings('papersLead')}
      />
      <div className="flex max-w-2xl flex-col gap-6">
        <Card title={say('sellerTitle')} lead={say('sellerLead')}>
          <ActionForm action={saveSellerAction} className="flex flex-col gap-4">
            <TextField
              name="name"
              label={say('sellerName')}
              help={say('sellerNameHelp')}
              defaultValue={seller.name}
              placeholder={env().SHOP_NAME}
              maxLength={160}
            />
            <TextAreaField
              name="address"
              label={say('sellerAddress')}
              defaultValue={seller.address}
              className="!min-h-24"
              maxLength={400}
            />
            <TextField name="taxId" label={say('sellerTaxId')} defaultValue={seller.taxId} maxLength={40} />
            <TextField
              name="email"
              type="email"
              label={say('sellerEmail')}
              defaultValue={seller.email}
              maxLength={254}
            />
            <TextField
              name="note"
              label={say('sellerNote')}
              help={say('sellerNoteHelp')}
              defaultValue={seller.note}
              maxLength={300}
            />
            <TextField
              name="receiptPrefix"
              label={say('receiptPrefix')}
              help={say('prefixHelp', { example: example(seller.receiptPrefix) })}
              defaultValue={seller.receiptPrefix}
              maxLength={8}
              required
            />
            <TextField
              name="invoicePrefix"
              label={say('invoicePrefix')}
              help={say('prefixHelp', { example: example(seller.invoicePrefix) })}
              defaultValue={seller.invoicePrefix}
              maxLength={8}
              required
            />
            <SubmitButton className="self-start">{say('saveSeller')}</SubmitButton>
          </ActionForm>
        </Card>
        <Card title={say('taxTitle')} lead={say('taxLead')}>
          <ActionForm action={saveTaxAction} className="flex flex-col gap-4">
            <TextAreaField
              name="rates"
              label={say('taxRates')}
              help={say('taxRatesHelp')}
              defaultValue={taxText(tax.rates)}
              className="font-mono"
              spellCheck={false}
            />
            <SubmitButton className="self-start">{say('saveTax')}</SubmitButton>
          </ActionForm>
        </Card>
      </div>
    </>
  )
}

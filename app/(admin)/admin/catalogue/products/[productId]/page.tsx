import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { notFound } from 'next/navigation'
import { ActionForm } from '@/components/ui/action-form'
import { Card } from '@/components/ui/card'
import { CheckboxField, SelectField, TextAreaField, TextField } from '@/components/ui/field'
import { PageHeader } from '@/components/ui/page-header'
import { SubmitButton } from '@/components/ui/submit-button'
import { PolicyForm } from '@/components/admin/policy-form'
import { PolicySentences } from '@/components/catalogue/policy-sentences'
import { COMMON_POLICY, findPolicy, PRODUCT_KINDS, readCatalog } from '@/lib/catalog'
import { requireAdmin } from '@/lib/web'
import { savePolicyAction, saveProductAction } from '../../actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('admin'))('editProduct') }
}

/** A product, or with the id `new` an empty form for one. */
export default async function ProductPage({ params }: { params: Promise<{ productId: string }> }) {
  await requireAdmin('catalog.write')
  const { productId } = await params
  const [say, products] = await Promise.all([getTranslations('admin'), readCatalog({ fresh: true })])
  const product = products.find((each) => each.id === productId)
  if (!product && productId !== 'new') notFound()
  const [policy, sayPolicy] = await Promise.all([
    product && findPolicy({ productId: product.id }),
    getTranslations('policy'),
  ])
  return (
    <>
      <PageHeader
        back={
          <Link href="/admin/catalogue" className="text-accent underline">
            {say('backToCatalogue')}
          </Link>
        }
        title={product ? product.nameEn : say('newProduct')}
      />
      <Card className="max-w-2xl">
        <ActionForm action={saveProductAction} className="flex flex-col gap-4">
          <input type="hidden" name="productId" value={product?.id ?? ''} />
          <TextField name="slug" label={say('slug')} help={say('slugHelp')} defaultValue={product?.slug} required />
          <SelectField name="kind" label={say('kind')} defaultValue={product?.kind ?? PRODUCT_KINDS[0]}>
            {PRODUCT_KINDS.map((kind) => (
              <option key={kind} value={kind}>
                {say(`kind_${kind}`)}
              </option>
            ))}
          </SelectField>
          <TextField name="nameEn" label={say('nameEn')} defaultValue={product?.nameEn} lang="en" required />
          <TextField name="nameRu" label={say('nameRu')} defaultValue={product?.nameRu} lang="ru" required />
          <TextAreaField
            name="descriptionEn"
            label={say('descriptionEn')}
            defaultValue={product?.descriptionEn}
            lang="en"
            rows={3}
            className="min-h-24"
            required
          />
          <TextAreaField
            name="descriptionRu"
            label={say('descriptionRu')}
            defaultValue={product?.descriptionRu}
            lang="ru"
            rows={3}
            className="min-h-24"
            required
          />
          <CheckboxField name="isActive" label={say('isActive')} defaultChecked={product?.isActive ?? true} />
          <SubmitButton className="self-start">{say('saveProduct')}</SubmitButton>
        </ActionForm>
      </Card>
      {product && policy && (
        <Card className="mt-6 max-w-4xl" title={sayPolicy('adminTitle')} lead={sayPolicy('adminLead')}>
          <p className="mb-2 text-sm">{sayPolicy('version', { version: policy.version })}</p>
          {policy.version > 0 && (
            <>
              <p className="mb-2 text-sm text-muted">{sayPolicy('preview')}</p>
              <PolicySentences policy={policy.rules} className="mb-6" />
            </>
          )}
          <PolicyForm
            key={policy.version}
            productId={product.id}
            version={policy.version}
            rules={policy.version > 0 ? policy.rules : COMMON_POLICY}
            action={savePolicyAction}
          />
        </Card>
      )}
    </>
  )
}

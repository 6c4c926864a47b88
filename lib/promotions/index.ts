export { bonusOf, discountOf, type PricedChoice, type PromotionTerms } from './discount'
export {
  type CodeRefusal,
  findAgreedDiscount,
  findBonus,
  findDiscount,
  findReservedDiscount,
  type FoundPromotion,
  reserveUse,
} from './find-promotion'
export {
  findBatch,
  findPromotion,
  listBatches,
  listOrderDiscounts,
  listPromotions,
  listUses,
  nameCodes,
  type PromotionRow,
} from './queries'
export { giveBonusAgain, takeBonusBack } from './return-bonus'
export { savePromotion, switchPromotion } from './save-promotion'
export {
  makeBatchSchema,
  normalizeCode,
  PROMOTION_KINDS,
  type PromotionKind,
  redeemVoucherSchema,
  savePromotionSchema,
  type SavePromotionInput,
  typedCodeSchema,
} from './schemas'
export { createBatch, makeVouchers, redeemVoucher, withdrawBatch } from './vouchers'

export { checkBooks, SHOP_RULES } from './check-books'

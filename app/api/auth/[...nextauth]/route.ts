import { authRoute } from '@/lib/web'

export { authRoute as GET, authRoute as POST }

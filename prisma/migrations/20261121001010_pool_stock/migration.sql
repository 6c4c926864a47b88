-- Proxies of a supplier's pool lie in our stock: which supplier's they are, by its own id, and since when it no longer offers them.
SET lock_timeout = '5s';

ALTER TABLE "stock_units"
  ALTER COLUMN "import_id" DROP NOT NULL,
  ADD COLUMN "supplier" TEXT,
  ADD COLUMN "supplier_ref" TEXT,
  ADD COLUMN "left_pool_at" TIMESTAMPTZ(3);

-- A unit comes from an import or from a pool.
ALTER TABLE "stock_units" ADD CONSTRAINT "stock_units_have_one_origin"
  CHECK ((import_id IS NULL) = (supplier IS NOT NULL) AND (supplier IS NULL) = (supplier_ref IS NULL));

-- A proxy of a pool is one unit, whichever offers and runs meet it.
CREATE UNIQUE INDEX "one_unit_per_pool_proxy" ON "stock_units"("supplier", "supplier_ref") WHERE (supplier_ref IS NOT NULL);

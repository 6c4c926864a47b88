-- How many proxies of a product in a country were exchanged lately, beside what their checks say.
SET lock_timeout = '5s';

ALTER TABLE "product_quality" ADD COLUMN "replacements" INTEGER NOT NULL DEFAULT 0;

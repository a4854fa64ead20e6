ALTER TABLE "claim" DROP CONSTRAINT "claim_business_claim_pk";--> statement-breakpoint
ALTER TABLE "claim" ADD CONSTRAINT "claim_business_claim_code_n_pk" PRIMARY KEY("business","claim","code","n");
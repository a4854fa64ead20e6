CREATE TABLE "early_name" (
	"business" uuid NOT NULL,
	"ledger" uuid NOT NULL,
	"h" text NOT NULL,
	CONSTRAINT "early_name_business_ledger_h_pk" PRIMARY KEY("business","ledger","h")
);
--> statement-breakpoint
ALTER TABLE "balance" ADD COLUMN "has_names" boolean DEFAULT false NOT NULL;
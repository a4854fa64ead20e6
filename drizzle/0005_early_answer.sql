CREATE TABLE "early_answer" (
	"business" uuid NOT NULL,
	"ledger" uuid NOT NULL,
	"person" uuid NOT NULL,
	"key" text NOT NULL,
	"code" text NOT NULL,
	"n" bigint NOT NULL,
	CONSTRAINT "early_answer_business_ledger_person_key_code_n_pk" PRIMARY KEY("business","ledger","person","key","code","n")
);

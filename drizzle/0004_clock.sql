CREATE TABLE "clock" (
	"business" uuid NOT NULL,
	"code" text collate "C" NOT NULL,
	"n" bigint NOT NULL,
	"clock_code" text collate "C" NOT NULL,
	"clock_n" bigint NOT NULL,
	"wall" bigint NOT NULL,
	"counter" integer NOT NULL,
	"on_day" date NOT NULL,
	CONSTRAINT "clock_business_code_n_pk" PRIMARY KEY("business","code","n")
);
--> statement-breakpoint
ALTER TABLE "feed_head" ADD COLUMN "top_wall" bigint DEFAULT 0 NOT NULL;
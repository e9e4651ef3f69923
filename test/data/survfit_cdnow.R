# Kaplan-Meier curves of the days from the first to the second purchase day of
# CDNOW's customers, by R's package survival.  Writes survfit_cdnow.csv, which
# the test survival.sql compares with loyalty.repurchase; run it in this
# folder:
#
#     Rscript survfit_cdnow.R
#
# cohort: a month of first purchases, or empty for all; surv, std.err, lower
# and upper are those of S(time), at each time of an event.

library(survival)

orders <- read.table(gzfile("cdnow_master.txt.gz"), header = TRUE)
orders$day <- as.Date(as.character(orders$date), "%Y%m%d")

curve <- function(as_of, same_day, cohort) {
	seen <- orders[orders$day <= as_of, ]
	if (!same_day)
		seen <- unique(seen[c("customer_id", "day")])
	seen <- seen[order(seen$customer_id, seen$day), ]

	# the first and, where there is one, the second row of each customer
	first <- which(!duplicated(seen$customer_id))
	second <- pmin(first + 1, nrow(seen))
	returned <- second > first & seen$customer_id[second] == seen$customer_id[first]
	end <- as.Date(ifelse(returned, seen$day[second], as.Date(as_of)), origin = "1970-01-01")
	time <- as.numeric(end - seen$day[first])

	if (cohort != "") {
		wanted <- format(seen$day[first], "%Y-%m-01") == cohort
		time <- time[wanted]
		returned <- returned[wanted]
	}
	fit <- summary(survfit(Surv(time, returned) ~ 1, conf.type = "log-log"))
	data.frame(as_of, same_day, cohort, time = fit$time, surv = fit$surv,
		std.err = fit$std.err, lower = fit$lower, upper = fit$upper)
}

curves <- rbind(
	curve("1997-06-30", FALSE, ""),
	curve("1997-06-30", TRUE, ""),
	curve("1997-06-30", FALSE, "1997-01-01"),
	curve("1997-06-30", FALSE, "1997-02-01"),
	curve("1997-06-30", FALSE, "1997-03-01"),
	curve("1998-06-30", FALSE, ""))
curves[5:8] <- lapply(curves[5:8], formatC, digits = 12, format = "fg", flag = "#")
write.csv(curves, "survfit_cdnow.csv", row.names = FALSE, quote = FALSE)

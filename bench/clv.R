# BG/NBD by maximum likelihood in R, over customers who have done the same only once, as bench/clv.sql sends them on
# standard input: data set, x, t_x, T, customers. For comparison: vectorised, on logarithms of the parameters, by optim.
rows <- read.csv(file("stdin"), header = FALSE, col.names = c("set", "x", "t_x", "T", "n"))

log_likelihood <- function(p, d) {
	r <- p[1]; alpha <- p[2]; a <- p[3]; b <- p[4]
	never_left <- -(r + d$x) * log(alpha + d$T)
	left <- ifelse(d$x > 0, log(a) - log(b + pmax(d$x, 1) - 1) - (r + d$x) * log(alpha + d$t_x), -Inf)
	larger <- pmax(never_left, left)
	sum(d$n * (lgamma(r + d$x) - lgamma(r) + r * log(alpha) + lbeta(a, b + d$x) - lbeta(a, b) +
		larger + log(exp(never_left - larger) + exp(left - larger))))
}

for (set in unique(rows$set)) {
	d <- rows[rows$set == set, ]
	for (method in if (nrow(d) < 10000) c("L-BFGS-B", "Nelder-Mead") else "L-BFGS-B") {
		seconds <- sapply(seq_len(if (nrow(d) < 10000) 5 else 1), function(i) system.time(
			fit <<- optim(log(c(0.5, 0.5 * sum(d$n * d$T) / sum(d$n * d$x), 1, 2)), function(p) -log_likelihood(exp(p), d) / sum(d$n),
				method = method, control = list(maxit = 5000)))["elapsed"])
		cat(sprintf("R, optim %s, %s: %.0f ms, log likelihood %.4f, r %.4f alpha %.4f a %.4f b %.4f\n", method, set, 1000 * median(seconds),
			-fit$value * sum(d$n), exp(fit$par[1]), exp(fit$par[2]), exp(fit$par[3]), exp(fit$par[4])))
	}
}

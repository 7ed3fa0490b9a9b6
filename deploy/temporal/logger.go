package main

import (
	"go.temporal.io/server/common/log"
	"go.uber.org/zap"
)

// newLogger returns a logger that writes to stderr from level up, and a hush to call
// when the end begins. The parts end one after another, and each warns a few times that
// the one before it does not answer: nothing to see, unless one asked for more than
// warnings.
func newLogger(level string) (logger log.Logger, hush func()) {
	least := zap.NewAtomicLevelAt(log.ParseZapLevel(level))
	logger = log.NewZapLogger(
		log.BuildZapLogger(log.Config{Level: level}).WithOptions(zap.IncreaseLevel(least)))
	hush = func() {
		if least.Level() == zap.WarnLevel {
			least.SetLevel(zap.ErrorLevel)
		}
	}
	return logger, hush
}

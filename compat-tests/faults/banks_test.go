//go:build linux

package faults

import (
	"fmt"

	"github.com/anishathalye/porcupine"
)

// A bank is a few accounts, items of their own on different shards, that money is moved between. Whoever looks at
// all of them at once sees the same sum.
const (
	accounts = 3
	deposit  = 100 // in each account of a new bank
)

// balances are what the accounts of a bank hold; before it opens there are none.
type balances struct {
	open bool
	of   [accounts]int
}

// openBank is a TransactWriteItems that makes the accounts on the condition that there are none.
type openBank struct{ bank string }

// transfer is a TransactWriteItems that moves an amount on the condition that the first account has it.
type transfer struct {
	bank             string
	from, to, amount int
}

// audit is a TransactGetItems of all accounts; its output is the balances. The output of the others tells whether
// their condition held.
type audit struct{ bank string }

// bankModel is the behaviour of transactions.
var bankModel = porcupine.Model{
	Partition: func(all []porcupine.Operation) [][]porcupine.Operation {
		return partitionBy(all, func(input any) string {
			switch op := input.(type) {
			case openBank:
				return op.bank
			case transfer:
				return op.bank
			}
			return input.(audit).bank
		})
	},
	Init: func() any { return balances{} },
	Step: func(state, input, output any) (bool, any) {
		b := state.(balances)
		var holds bool
		next := b
		switch op := input.(type) {
		case audit:
			return output.(balances) == b, b
		case openBank:
			holds = !b.open
			next = newBank()
		case transfer:
			holds = b.open && b.of[op.from] >= op.amount
			next.of[op.from] -= op.amount
			next.of[op.to] += op.amount
		}
		if held, told := output.(bool); told && held != holds {
			return false, b
		}
		if holds {
			return true, next
		}
		return true, b
	},
	DescribeOperation: describe,
	DescribeState:     func(state any) string { return fmt.Sprintf("%+v", state) },
}

func newBank() balances {
	b := balances{open: true}
	for i := range b.of {
		b.of[i] = deposit
	}
	return b
}

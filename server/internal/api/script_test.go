package api

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
)

// The scripts in testdata hold one request a case, under the name of its
// operation, and print what is wrong with it: "not JSON", a
// SerializationException, the message of the violated constraints (with "bare: "
// before a message without envelope), or "ok".
//
// <<x*3>> in a request stands for xxx and <<x,*3>> for x,x,x. The answer
// abbreviates in the same way, and cuts long echoes.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, file string) {
		datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
			newInput, ok := newInputs[d.Cmd]
			require.True(t, ok, "%s: no operation %s", d.Pos, d.Cmd)
			return abbreviate(judge([]byte(expand(d.Input)), newInput())) + "\n"
		})
	})
}

// judge decodes and checks a request.
func judge(body []byte, in Input) string {
	if err := Unmarshal(body, in); errors.Is(err, ErrNotJSON) {
		return "not JSON"
	} else if err != nil {
		return err.Error()
	}
	vs := in.Constraints()
	switch {
	case len(vs) == 0:
		return "ok"
	case vs[0].Bare:
		return "bare: " + vs.Message()
	}
	return strings.ReplaceAll(vs.Message(), "; ", ";\n  ")
}

var repetition = regexp.MustCompile(`<<(.*?)(,?)\*(\d+)>>`)

func expand(body string) string {
	return repetition.ReplaceAllStringFunc(body, func(m string) string {
		parts := repetition.FindStringSubmatch(m)
		n, _ := strconv.Atoi(parts[3])
		return strings.TrimSuffix(strings.Repeat(parts[1]+parts[2], n), ",")
	})
}

// abbreviate replaces runs of one letter and the middle of long echoes.
func abbreviate(s string) string {
	var b strings.Builder
	letters := []rune(s)
	for i := 0; i < len(letters); {
		run := 1
		for i+run < len(letters) && letters[i+run] == letters[i] {
			run++
		}
		if run > 20 {
			fmt.Fprintf(&b, "<<%c*%d>>", letters[i], run)
		} else {
			b.WriteString(string(letters[i : i+run]))
		}
		i += run
	}
	return cutEcho(b.String())
}

var echo = regexp.MustCompile(`Value '([^']{900,})'`)

func cutEcho(s string) string {
	return echo.ReplaceAllStringFunc(s, func(m string) string {
		return m[:420] + " ... " + m[len(m)-60:]
	})
}

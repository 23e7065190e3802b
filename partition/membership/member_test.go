package membership

import (
	"encoding/hex"
	"log/slog"
	"strings"
	"testing"

	"github.com/hashicorp/memberlist"
	"github.com/stretchr/testify/require"
)

var fullMember = Member{
	Name: "n", ID: 0x1122334455667788, ClusterAddr: "a:1", State: Alive,
	Meta: Meta{
		HTTPAddr: "h:2", Zone: "z", Version: "v1", ClusterID: [16]byte{0xaa, 15: 0xbb},
		Protocol: 3, MinProtocol: 2, Capacity: 100, Load: 50, Draining: true, PID: 4711,
	},
	leaving: true,
}

func TestMetaFormat(t *testing.T) {
	const golden = "01" + "8877665544332211" + "aa0000000000000000000000000000bb" + "03000000" + "02000000" + "03" +
		"64000000" + "32000000" + "67120000" + "03613a31" + "03683a32" + "017a" + "027631"
	require.Equal(t, golden, hex.EncodeToString(fullMember.encode()))
	got, err := decode("n", fullMember.encode())
	require.NoError(t, err)
	require.Equal(t, fullMember, got)
	// A newer format may append.
	newer := append(fullMember.encode(), 1, 2, 3)
	newer[0] = 9
	got, err = decode("n", newer)
	require.NoError(t, err)
	require.Equal(t, fullMember, got)
}

func TestLargestMetaFits(t *testing.T) {
	m := fullMember
	m.ClusterAddr, m.HTTPAddr = strings.Repeat("c", maxAddr), strings.Repeat("h", maxAddr)
	m.Zone, m.Version = strings.Repeat("z", maxWord), strings.Repeat("v", maxWord)
	require.NoError(t, m.validate())
	require.LessOrEqual(t, len(m.encode()), memberlist.MetaMaxSize)
	require.Equal(t, memberlist.MetaMaxSize, metaLimit)
}

func FuzzDecodeMeta(f *testing.F) {
	f.Add(fullMember.encode())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decode("n", b)
		if err != nil {
			return
		}
		again, err := decode("n", m.encode())
		require.NoError(t, err)
		require.Equal(t, m, again)
	})
}

func TestMemberlistLog(t *testing.T) {
	for _, c := range []struct {
		line  string
		level slog.Level
		text  string
	}{
		{"[DEBUG] memberlist: Stream connection from=1.2.3.4:5\n", slog.LevelDebug, "Stream connection from=1.2.3.4:5"},
		{"[INFO] memberlist: Suspect x has failed", slog.LevelInfo, "Suspect x has failed"},
		{"[WARN] memberlist: Refuting", slog.LevelWarn, "Refuting"},
		{"[ERR] memberlist: Decrypt packet failed", slog.LevelWarn, "Decrypt packet failed"},
		{"[ERROR] memberlist: x", slog.LevelWarn, "x"},
		{"Err: Could not set the deadline", slog.LevelWarn, "Err: Could not set the deadline"},
		{"", slog.LevelWarn, ""},
	} {
		level, text := parseLine(c.line)
		require.Equal(t, c.level, level, c.line)
		require.Equal(t, c.text, text)
	}
	var b lockedBuffer
	w := &logWriter{logger: slog.New(slog.NewTextHandler(&b, nil))}
	for _, line := range []string{
		"[ERR] memberlist: failed from=1.2.3.4:50", "[ERR] memberlist: failed from=1.2.3.4:51",
		"[ERR] memberlist: failed from=1.2.3.5:50", "[DEBUG] memberlist: quiet",
	} {
		_, err := w.Write([]byte(line))
		require.NoError(t, err)
	}
	require.Equal(t, 2, strings.Count(b.String(), "\n"), b.String())

	w.close()
	_, err := w.Write([]byte("[ERR] memberlist: a probe that was still under way"))
	require.NoError(t, err)
	require.Equal(t, 2, strings.Count(b.String(), "\n"), "nothing is logged after close")
}

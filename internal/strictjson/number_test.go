package strictjson_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// slow are numbers of which strconv needs microseconds for a few bytes.
func slow() map[string]string {
	middle := new(big.Float).SetPrec(3000).SetFloat64(1.2345e-300)
	middle.Add(middle, new(big.Float).SetFloat64(math.Nextafter(1.2345e-300, 1)))
	return map[string]string{
		"smallest double":        `5e-324`,
		"subnormal":              `-2.5e-310`,
		"subnormal, written out": `0.` + strings.Repeat("0", 320) + `5`,
		"largest subnormal":      `2.2250738585072009e-308`,
		"half way, 20 digits":    middle.Quo(middle, big.NewFloat(2)).Text('e', 19),
		"20 digits":              `1.2345678901234567891`,
		"20 digits, whole":       `12345678901234567891e0`,
		"400 digits":             `0.` + strings.Repeat("3", 400),
		"as the largest double":  `1.79769313486231580790e308`,
	}
}

func TestAbuse_CN05_NumbersThatAreSlowToConvert(t *testing.T) {
	t.Parallel()
	const most = 32
	for name, n := range slow() {
		if name == "as the largest double" {
			continue // 19 digits
		}
		require.True(t, strictjson.Number(n).Slow(), name)
		list := func(count int, more string) []byte {
			return []byte(`{"a":[` + strings.Repeat(n+",", count) + more + `0.1,1e-300,0,0e-400]}`)
		}
		for entry, read := range entryPoints() {
			t.Run(name+"/"+entry, func(t *testing.T) {
				t.Parallel()
				require.NoError(t, read(list(most, "")))
				require.NoError(t, read(list(most, strings.Repeat("1e-306,1.234567890123456789,", 40))))
				require.ErrorIs(t, read(list(most+1, "")), strictjson.ErrTooLarge)
			})
		}
		t.Run(name+"/floats", func(t *testing.T) {
			t.Parallel()
			var v struct {
				A []float64 `json:"a"`
			}
			require.NoError(t, strictjson.Unmarshal(list(most, ""), &v))
			require.ErrorIs(t, strictjson.Unmarshal(list(most+1, ""), &v), strictjson.ErrTooLarge)
		})
	}

	// A float of 32 bits is subnormal far earlier.
	singles := func(count int) []byte { return []byte(`[` + strings.Repeat("1e-40,", count) + `1e-36]`) }
	var list []float32
	require.NoError(t, strictjson.Unmarshal(singles(most), &list))
	require.Equal(t, float32(1e-40), list[0])
	require.ErrorIs(t, strictjson.Unmarshal(singles(most+1), &list), strictjson.ErrTooLarge)
	var tree any
	require.NoError(t, strictjson.Unmarshal(singles(most+1), &tree))
}

func TestNumber_Slow(t *testing.T) {
	t.Parallel()
	for n, want := range map[string]bool{
		`0`: false, `0.0`: false, `0e-99999`: false, `0.` + strings.Repeat("0", 400): false,
		`9007199254740991`: false, `-37.5`: false, `333333333.33333329`: false, `1E30`: false,
		`1.234567890123456789`: false, `1.2345678901234567890000000000`: false, `0.0000000001234567890123456789`: false,
		`1.2345678901234567891`: true, `1234567890123456789100000e-9`: true, `1.2345678901234567890000001`: true,
		`1e-306`: false, `-1e-306`: false, `0.1e-305`: false, `1e-307`: false, `9.9e-308`: true, `-1e-308`: true, `5e-324`: true,
		`1000000e-313`: false, `1000000e-314`: true,
		`1.7976931348623157e308`: false,
		``:                       false, `-`: false, `1e`: false, `5e-324x`: true, `x5e-324`: false, `5e-`: false,
	} {
		require.Equal(t, want, strictjson.Number(n).Slow(), n)
	}
}

// What is refused is what strconv makes infinity or zero of, to the last digit.
func TestNumber_RangeIsThatOfADouble(t *testing.T) {
	t.Parallel()
	exact := func(f *big.Float) string { return f.Text('e', 800) }
	over := new(big.Float).SetPrec(2000).SetMantExp(big.NewFloat(1), 1024)
	over.Sub(over, new(big.Float).SetMantExp(big.NewFloat(1), 970))
	under := new(big.Float).SetPrec(2000).SetMantExp(big.NewFloat(1), -1075)
	var literals []string
	for _, edge := range []string{exact(over), exact(under), `1e309`, `1e308`, `1e-323`, `1e-324`, `5e-324`} {
		digits, exponent, _ := strings.Cut(edge, "e")
		literals = append(literals, edge, digits+"1e"+exponent)
		digits = strings.Replace(digits, ".", "", 1)
		scale, err := strconv.Atoi(exponent)
		require.NoError(t, err)
		for keep := 1; keep <= min(len(digits), 40); keep++ {
			for last := '0'; last <= '9'; last++ {
				d := digits[:keep-1] + string(last)
				if d[0] == '0' {
					continue
				}
				literals = append(literals, fmt.Sprintf("%se%d", d, scale-keep+1), fmt.Sprintf("%s000e%d", d, scale-keep-2),
					fmt.Sprintf("0.00%se%d", d, scale+3), fmt.Sprintf("-%s.0E%+d", d, scale-keep+1))
				if scale < 0 {
					literals = append(literals, "0."+strings.Repeat("0", -scale-1)+d)
				} else {
					literals = append(literals, d+strings.Repeat("0", max(0, scale-keep+1))+".0")
				}
			}
		}
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		literals = append(literals, fmt.Sprintf("%de%d", random.Uint64()|1, random.IntN(720)-360))
	}
	refused := 0
	for _, n := range literals {
		want, err := strconv.ParseFloat(n, 64)
		got, ours := strictjson.Number(n).Float64()
		if err != nil || want == 0 {
			refused++
			require.ErrorIs(t, ours, strictjson.ErrNumber, n)
			continue
		}
		require.NoError(t, ours, n)
		require.Equal(t, want, got, n)
	}
	require.Greater(t, refused, 1000)
	require.Less(t, refused, len(literals)-1000)
}

// An exponent brings back what the digits left, or does not.
func TestNumber_LongExponent(t *testing.T) {
	t.Parallel()
	zeros := strings.Repeat("0", 1_080)
	for _, n := range []string{`0.` + zeros + `1e100000`, `1` + zeros + `0e-100000`, `1e10000`, `1e-10000`, `1e` + strings.Repeat("9", 400), `0.` + zeros + `1e10800`} {
		_, err := strictjson.Parse([]byte(n))
		require.ErrorIs(t, err, strictjson.ErrNumber)
	}
	for _, n := range []string{`0.` + zeros + `1e1080`, `0.` + zeros + `1e+00001080`, `1` + zeros + `0e-1080`, `0e100000`} {
		_, err := strictjson.Parse([]byte(n))
		require.NoError(t, err)
		want, err := strconv.ParseFloat(n, 64)
		require.NoError(t, err)
		got, err := strictjson.Number(n).Float64()
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

// The length of a literal is bounded for those who read all its digits, and any double
// fits with all that it has.
func TestAbuse_CN05_LongNumbers(t *testing.T) {
	t.Parallel()
	for name, form := range map[string]string{
		"thirds": "0.%s", "whole": "1%se-1000", "zeros": "1.0%s", "zero": "0.%s", "negative": "-0.1%s", "exponent": "1e-%s",
	} {
		digit := "0"
		if name == "thirds" {
			digit = "3"
		}
		of := func(n int) string { return fmt.Sprintf(form, strings.Repeat(digit, n-len(form)+len("%s"))) }
		require.Len(t, of(1_100), 1_100)
		for entry, read := range entryPoints() {
			require.NoError(t, read([]byte(`{"a":`+of(1_100)+`}`)), "%s %s", name, entry)
			require.ErrorIs(t, read([]byte(`{"a":`+of(1_101)+`}`)), strictjson.ErrNumber, "%s %s", name, entry)
			require.ErrorIs(t, read([]byte(`{"a":`+of(1_000_000)+`}`)), strictjson.ErrNumber, "%s %s", name, entry)
		}
	}
	for _, f := range []float64{5e-324, 2.2250738585072009e-308, 2.2250738585072014e-308, math.MaxFloat64 - 0x1p970, -5e-324} {
		literal := new(big.Float).SetFloat64(f).Text('f', 1074)
		literal = strings.TrimSuffix(strings.TrimRight(literal, "0"), ".")
		if !strings.Contains(literal, ".") {
			literal += ".0"
		}
		got, err := strictjson.Number(literal).Float64()
		require.NoError(t, err)
		require.Equal(t, f, got)
	}
}

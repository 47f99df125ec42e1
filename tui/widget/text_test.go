package widget

import (
	"strings"
	"testing"

	"pgtui/lang"
	"pgtui/tui/theme"
)

// TestWords: words are translated and data is not, alone and as an argument.
func TestWords(t *testing.T) {
	lang.Use(lang.Chinese)
	defer lang.Use(lang.English)
	const word = "mismatch"
	zh := Words(word).Local()
	if zh == word {
		t.Fatal("it is no text of pgtui")
	}
	for want, got := range map[string]Line{
		zh:        P(word),
		word:      Raw(theme.Plain, word),
		zh + word: P(word).AddRaw(theme.Plain, word),
		word + zh: Raw(theme.Plain, word).Add(theme.Plain, word),
	} {
		if got.String() != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for _, data := range []string{word, "", "a\ue000b\ue001", "hidden by the filter", "x y, " + word} {
		clean := strings.NewReplacer("\ue000", "", "\ue001", "").Replace(data)
		if got := F(" no service matches the filter %s", Data(data)).Local(); !strings.HasSuffix(got, clean) || strings.Contains(got, "matches") {
			t.Errorf("%q: got %q", data, got)
		}
	}
	lang.Use(lang.English)
	if got := F("%s of %s, %d", Data("a"), Data("b"), 3).Local(); got != "a of b, 3" {
		t.Errorf("English: %q", got)
	}
}

// TestWrapTranslatesNothing: what it breaks is data, or words that were translated whole.
func TestWrapTranslatesNothing(t *testing.T) {
	lang.Use(lang.Chinese)
	defer lang.Use(lang.English)
	if got := strings.Join(Wrap("mismatch unknown mismatch", 10), "|"); got != "mismatch|unknown|mismatch" {
		t.Error(got)
	}
	if got := strings.Join(WrapBehind("mismatch unknown mismatch", 8, 20), "|"); got != "mismatch|unknown mismatch" {
		t.Error(got)
	}
}

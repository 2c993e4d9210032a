import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.text.MessageFormat;
import java.util.Arrays;
import java.util.Base64;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** Answers questions, a line each: a word and texts in Base64 of UTF-16; the answer is such a list, too. */
public class JavaPeer {
    private static String text(String word) {
        return new String(Base64.getDecoder().decode(word), StandardCharsets.UTF_16LE);
    }

    private static String word(String text) {
        if (text == null) {
            return "-";
        }
        return "=" + Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_16LE));
    }

    private static String answer(String question, String[] texts) {
        switch (question) {
            case "matches": {
                Matcher matcher = Pattern.compile(texts[0]).matcher(texts[1]);
                if (!matcher.matches()) {
                    return "no";
                }
                StringBuilder groups = new StringBuilder("yes");
                for (int group = 0; group <= matcher.groupCount(); group++) {
                    groups.append(' ').append(word(matcher.group(group)));
                }
                return groups.toString();
            }
            case "find": {
                Matcher matcher = Pattern.compile(texts[0]).matcher(texts[1]);
                return matcher.find() ? "yes " + word(matcher.start() + "-" + matcher.end()) : "no";
            }
            case "replaceAll":
                return "yes " + word(texts[1].replaceAll(texts[0], texts[2]));
            case "format":
                return "yes " + word(
                    new MessageFormat(texts[0]).format(Arrays.copyOfRange(texts, 1, texts.length, Object[].class)));
            case "lower":
                return "yes " + word(texts[0].toLowerCase());
            case "upper":
                return "yes " + word(texts[0].toUpperCase());
            case "double":
                return "yes " + word(Double.toString(Double.longBitsToDouble(Long.parseUnsignedLong(texts[0], 16))));
            case "float":
                return "yes " + word(Float.toString(Float.intBitsToFloat(Integer.parseUnsignedInt(texts[0], 16))));
            case "version":
                return "yes " + word(Integer.toString(Runtime.version().feature()));
            default:
                throw new IllegalArgumentException(question);
        }
    }

    public static void main(String[] arguments) throws Exception {
        Locale.setDefault(Locale.ROOT);
        BufferedReader questions = new BufferedReader(new InputStreamReader(System.in));
        PrintStream answers = new PrintStream(System.out, true);
        for (String line = questions.readLine(); line != null; line = questions.readLine()) {
            String[] words = line.split(" ", -1);
            String[] texts = new String[words.length - 1];
            for (int i = 0; i < texts.length; i++) {
                texts[i] = words[i + 1].equals("-") ? null : text(words[i + 1].substring(1));
            }
            String found;
            try {
                found = answer(words[0], texts);
            } catch (PatternSyntaxException | StackOverflowError failure) {
                found = "refused";
            } catch (IllegalArgumentException | IndexOutOfBoundsException failure) {
                found = "failed";
            }
            answers.println(found);
        }
    }
}

// The texts of a challenge, by language, and which of them a visitor gets: the page's language first, since the page is
// in it, then the visitor's own. A page may bring its own texts.
import { own } from "./dom.js";

const NAMES = ["title", "text", "start", "working", "failed", "expired", "retry", "leave"];
const LONGEST = 300;
const RIGHT_TO_LEFT = ["ar", "fa", "he", "ur"];

const TEXTS = {
  en: ["One more check", "Please confirm that you want to go on. Your device then does a short calculation. There is nothing to solve and no time limit.", "Confirm", "Checking…", "That did not work.", "That took too long.", "Try again", "Not now"],
  de: ["Eine kurze Prüfung", "Bitte bestätigen Sie, dass Sie fortfahren möchten. Ihr Gerät führt dann eine kurze Berechnung aus. Es gibt nichts zu lösen und keine Zeitbegrenzung.", "Bestätigen", "Wird geprüft…", "Das hat nicht geklappt.", "Das hat zu lange gedauert.", "Erneut versuchen", "Nicht jetzt"],
  fr: ["Une dernière vérification", "Veuillez confirmer que vous souhaitez continuer. Votre appareil effectue alors un court calcul. Il n’y a rien à résoudre et pas de limite de temps.", "Confirmer", "Vérification en cours…", "Cela n’a pas fonctionné.", "Cela a pris trop de temps.", "Réessayer", "Pas maintenant"],
  es: ["Una comprobación más", "Confirme que desea continuar. Su dispositivo hará entonces un breve cálculo. No hay nada que resolver ni límite de tiempo.", "Confirmar", "Comprobando…", "No ha funcionado.", "Ha tardado demasiado.", "Intentar de nuevo", "Ahora no"],
  it: ["Un’ultima verifica", "Conferma di voler continuare. Il tuo dispositivo eseguirà un breve calcolo. Non c’è nulla da risolvere e nessun limite di tempo.", "Conferma", "Verifica in corso…", "Non ha funzionato.", "Ci è voluto troppo tempo.", "Riprova", "Non ora"],
  pt: ["Mais uma verificação", "Confirme que pretende continuar. O seu dispositivo faz então um breve cálculo. Não há nada para resolver nem limite de tempo.", "Confirmar", "A verificar…", "Não funcionou.", "Demorou demasiado tempo.", "Tentar novamente", "Agora não"],
  nl: ["Nog één controle", "Bevestig dat u verder wilt gaan. Uw apparaat voert dan een korte berekening uit. Er is niets op te lossen en er is geen tijdslimiet.", "Bevestigen", "Bezig met controleren…", "Dat is niet gelukt.", "Dat duurde te lang.", "Opnieuw proberen", "Niet nu"],
  pl: ["Jeszcze jedno sprawdzenie", "Potwierdź, że chcesz przejść dalej. Twoje urządzenie wykona krótkie obliczenie. Nie ma nic do rozwiązania ani limitu czasu.", "Potwierdź", "Sprawdzanie…", "To się nie udało.", "To trwało zbyt długo.", "Spróbuj ponownie", "Nie teraz"],
  sv: ["En kontroll till", "Bekräfta att du vill fortsätta. Din enhet gör då en kort beräkning. Det finns inget att lösa och ingen tidsgräns.", "Bekräfta", "Kontrollerar…", "Det fungerade inte.", "Det tog för lång tid.", "Försök igen", "Inte nu"],
  da: ["Et tjek mere", "Bekræft, at du vil fortsætte. Din enhed laver så en kort beregning. Der er intet at løse og ingen tidsgrænse.", "Bekræft", "Tjekker…", "Det virkede ikke.", "Det tog for lang tid.", "Prøv igen", "Ikke nu"],
  nb: ["En sjekk til", "Bekreft at du vil fortsette. Enheten din gjør da en kort beregning. Det er ingenting å løse og ingen tidsgrense.", "Bekreft", "Sjekker…", "Det virket ikke.", "Det tok for lang tid.", "Prøv igjen", "Ikke nå"],
  fi: ["Vielä yksi tarkistus", "Vahvista, että haluat jatkaa. Laitteesi tekee silloin lyhyen laskutoimituksen. Mitään ei tarvitse ratkaista, eikä aikarajaa ole.", "Vahvista", "Tarkistetaan…", "Se ei onnistunut.", "Siihen meni liian kauan.", "Yritä uudelleen", "Ei nyt"],
  cs: ["Ještě jedna kontrola", "Potvrďte, že chcete pokračovat. Vaše zařízení pak provede krátký výpočet. Není co řešit a není žádný časový limit.", "Potvrdit", "Kontroluje se…", "To se nepodařilo.", "Trvalo to příliš dlouho.", "Zkusit znovu", "Teď ne"],
  tr: ["Bir kontrol daha", "Lütfen devam etmek istediğinizi onaylayın. Cihazınız kısa bir hesaplama yapar. Çözülecek bir şey ve süre sınırı yoktur.", "Onayla", "Kontrol ediliyor…", "Bu işe yaramadı.", "Bu çok uzun sürdü.", "Tekrar dene", "Şimdi değil"],
  ru: ["Ещё одна проверка", "Подтвердите, что хотите продолжить. Ваше устройство выполнит короткое вычисление. Ничего решать не нужно, время не ограничено.", "Подтвердить", "Проверка…", "Не получилось.", "Это заняло слишком много времени.", "Повторить", "Не сейчас"],
  uk: ["Ще одна перевірка", "Підтвердьте, що хочете продовжити. Ваш пристрій виконає коротке обчислення. Нічого розв’язувати не потрібно, час не обмежено.", "Підтвердити", "Перевірка…", "Не вдалося.", "Це тривало надто довго.", "Спробувати ще раз", "Не зараз"],
  ja: ["もう一度確認します", "続ける場合は確認してください。お使いの端末が短い計算を行います。解く問題も時間制限もありません。", "確認する", "確認中…", "うまくいきませんでした。", "時間がかかりすぎました。", "もう一度試す", "今はしない"],
  zh: ["再做一次验证", "请确认您要继续。您的设备会进行一次简短的计算。无需解题，也没有时间限制。", "确认", "正在验证…", "验证未成功。", "用时过长。", "重试", "暂不"],
  "zh-Hant": ["再做一次驗證", "請確認您要繼續。您的裝置會進行一次簡短的計算。無需解題，也沒有時間限制。", "確認", "正在驗證…", "驗證未成功。", "花費時間過長。", "再試一次", "暫時不要"],
  ko: ["한 번 더 확인합니다", "계속하려면 확인해 주세요. 기기에서 짧은 계산을 합니다. 풀어야 할 문제도 시간 제한도 없습니다.", "확인", "확인 중…", "확인하지 못했습니다.", "시간이 너무 오래 걸렸습니다.", "다시 시도", "나중에"],
  ar: ["تحقّق إضافي واحد", "يُرجى تأكيد رغبتك في المتابعة. سيجري جهازك بعد ذلك عملية حسابية قصيرة. لا يوجد ما يجب حلّه ولا حدّ زمني.", "تأكيد", "جارٍ التحقّق…", "لم ينجح ذلك.", "استغرق ذلك وقتًا طويلًا.", "إعادة المحاولة", "ليس الآن"],
  he: ["בדיקה אחת נוספת", "נא לאשר שברצונך להמשיך. המכשיר שלך יבצע חישוב קצר. אין מה לפתור ואין הגבלת זמן.", "אישור", "מתבצעת בדיקה…", "זה לא הצליח.", "זה ארך זמן רב מדי.", "לנסות שוב", "לא עכשיו"],
  hi: ["एक और जाँच", "कृपया पुष्टि करें कि आप आगे बढ़ना चाहते हैं। फिर आपका डिवाइस एक छोटी गणना करेगा। हल करने के लिए कुछ नहीं है और कोई समय सीमा नहीं है।", "पुष्टि करें", "जाँच हो रही है…", "यह सफल नहीं हुआ।", "इसमें बहुत समय लगा।", "फिर से कोशिश करें", "अभी नहीं"],
};

/** The texts with their language and its direction. */
export function textsFor(config) {
  const wanted = [config?.locale, own("documentElement").lang, ...(navigator.languages ?? [])];
  const language = wanted.map(known).find((name) => name) ?? "en";
  const texts = {};
  NAMES.forEach((name, index) => {
    const given = config?.texts?.[name];
    texts[name] = typeof given === "string" && given.trim() ? given.slice(0, LONGEST) : TEXTS[language][index];
  });
  return { texts, language, direction: RIGHT_TO_LEFT.includes(language) ? "rtl" : "ltr" };
}

/** The language among those here that a language tag means. */
function known(tag) {
  const [primary, ...more] = String(tag ?? "").split(/[-_]/);
  const name = primary.toLowerCase();
  if (name === "zh" && more.some((part) => /^(hant|tw|hk|mo)$/i.test(part))) return "zh-Hant";
  if (name === "no" || name === "nn") return "nb";
  return Object.keys(TEXTS).includes(name) ? name : undefined;
}

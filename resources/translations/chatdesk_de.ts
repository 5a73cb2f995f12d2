<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
<context>
    <name></name>
    <message>
        <source>ChatDesk found no display, and no window of it is open.</source>
        <translation>ChatDesk hat keinen Bildschirm gefunden, und es ist kein ChatDesk-Fenster offen.</translation>
    </message>
    <message>
        <source>Nothing was opened or changed.</source>
        <translation>Es wurde nichts geöffnet oder geändert.</translation>
    </message>
    <message>
        <source>Run this in a desktop session, or set DISPLAY or WAYLAND_DISPLAY.</source>
        <translation>Führen Sie das in einer Desktop-Sitzung aus, oder setzen Sie DISPLAY oder WAYLAND_DISPLAY.</translation>
    </message>
    <message>
        <source>No display was found, so ChatDesk plays one turn without a window.</source>
        <translation>Es wurde kein Bildschirm gefunden, deshalb spielt ChatDesk einen Durchgang ohne Fenster.</translation>
    </message>
    <message>
        <source>ask a question and print the answer as it comes</source>
        <translation>eine Frage stellen und die Antwort ausgeben, wie sie kommt</translation>
    </message>
    <message>
        <source>the question; - reads it from stdin</source>
        <translation>die Frage; - liest sie von stdin</translation>
    </message>
    <message>
        <source>what to do with tool calls: ask (at a terminal), deny, or what to allow: SERVER for all tools of a server and SERVER/TOOL for one; may be repeated</source>
        <translation>was mit Werkzeugaufrufen geschieht: ask (an einem Terminal fragen), deny (ablehnen), oder was erlaubt wird: SERVER für alle Werkzeuge eines Servers und SERVER/TOOL für eines; kann wiederholt werden</translation>
    </message>
    <message>
        <source>An imported system prompt is sent with the question.</source>
        <translation>Ein importierter Systemprompt wird mit der Frage gesendet.</translation>
    </message>
    <message>
        <source>{name} changed the system prompt; it is sent with the question.</source>
        <translation>{name} hat den Systemprompt geändert; er wird mit der Frage gesendet.</translation>
    </message>
    <message>
        <source>Trying again in {seconds} s.</source>
        <translation>Erneuter Versuch in {seconds} s.</translation>
    </message>
    <message>
        <source>The question waits, {count} before it; Ctrl+C cancels.</source>
        <translation>Die Frage wartet, {count} davor; Strg+C bricht ab.</translation>
    </message>
    <message>
        <source>continue this thread (the start of its id is enough)</source>
        <translation>diese Unterhaltung fortsetzen (der Anfang ihrer Kennung genügt)</translation>
    </message>
    <message>
        <source>ask another version of this question; the old one is kept</source>
        <translation>eine andere Version dieser Frage stellen; die alte bleibt</translation>
    </message>
    <message>
        <source>start a new thread (the default)</source>
        <translation>eine neue Unterhaltung beginnen (Vorgabe)</translation>
    </message>
    <message>
        <source>model to ask</source>
        <translation>Modell, das gefragt wird</translation>
    </message>
    <message>
        <source>id of the provider to ask (&apos;chatdesk providers&apos; lists them)</source>
        <translation>Kennung des Anbieters, der gefragt wird (&apos;chatdesk providers&apos; listet sie auf)</translation>
    </message>
    <message>
        <source>assistant from the library to ask</source>
        <translation>Assistent aus der Bibliothek, der gefragt wird</translation>
    </message>
    <message>
        <source>file to attach; may be repeated</source>
        <translation>Datei, die angehängt wird; mehrfach möglich</translation>
    </message>
    <message>
        <source>tool servers that the model may use, separated by commas, or none</source>
        <translation>Werkzeugserver, die das Modell verwenden darf, durch Kommas getrennt, oder none für keine</translation>
    </message>
    <message>
        <source>print one JSON object per line: start, text, ..., finish</source>
        <translation>ein JSON-Objekt pro Zeile ausgeben: start, text, ..., finish</translation>
    </message>
    <message>
        <source>ChatDesk keeps trying to save the answer for a while; Ctrl+C stops it.</source>
        <translation>ChatDesk versucht eine Weile weiter, die Antwort zu speichern; Strg+C beendet das.</translation>
    </message>
    <message>
        <source>The answer was not finished. What had arrived is kept.</source>
        <translation>Die Antwort wurde nicht fertig. Was angekommen war, bleibt erhalten.</translation>
    </message>
    <message>
        <source>how the attached texts are encoded, such as windows-1251</source>
        <translation>Kodierung der angehängten Texte, etwa windows-1251</translation>
    </message>
    <message>
        <source>“{name}” may be in one of several encodings: {found}.</source>
        <translation>„{name}“ kann in einer von mehreren Kodierungen vorliegen: {found}.</translation>
    </message>
    <message>
        <source>Name the right one with --encoding.</source>
        <translation>Geben Sie die richtige mit --encoding an.</translation>
    </message>
    <message>
        <source>“{name}” is no text in the encoding {encoding}.</source>
        <translation>„{name}“ ist kein Text in der Kodierung {encoding}.</translation>
    </message>
    <message>
        <source>Name the encoding in which it was written, such as windows-1251 or shift_jis.</source>
        <translation>Nennen Sie die Kodierung, in der die Datei geschrieben wurde, etwa windows-1251 oder shift_jis.</translation>
    </message>
    <message>
        <source>{server}: {problem}</source>
        <translation>{server}: {problem}</translation>
    </message>
    <message>
        <source>{name}: {problem}</source>
        <translation>{name}: {problem}</translation>
    </message>
    <message>
        <source>{server} offers: {names}.</source>
        <translation>{server} bietet: {names}.</translation>
    </message>
    <message>
        <source>It lists no tools.</source>
        <translation>Er führt keine Werkzeuge auf.</translation>
    </message>
    <message>
        <source>It is switched off: chatdesk tools on {server} switches it on.</source>
        <translation>Er ist ausgeschaltet: chatdesk tools on {server} schaltet ihn ein.</translation>
    </message>
    <message>
        <source>It is for the threads of a project with a folder: see chatdesk tools folder.</source>
        <translation>Er ist für die Unterhaltungen eines Projekts mit Ordner: siehe chatdesk tools folder.</translation>
    </message>
    <message>
        <source>It was not asked for its tools.</source>
        <translation>Er wurde nicht nach seinen Werkzeugen gefragt.</translation>
    </message>
    <message>
        <source>Answer in the window.</source>
        <translation>Antworten Sie im Fenster.</translation>
    </message>
    <message>
        <source>{words} It is allowed with --approve {name}.</source>
        <translation>{words} Erlaubt wird er mit --approve {name}.</translation>
    </message>
    <message>
        <source>It was allowed.</source>
        <translation>Es wurde erlaubt.</translation>
    </message>
    <message>
        <source>It was denied.</source>
        <translation>Es wurde abgelehnt.</translation>
    </message>
    <message>
        <source>The model wants to call {tool} of {server} with</source>
        <translation>Das Modell möchte {tool} von {server} aufrufen, und zwar mit</translation>
    </message>
    <message>
        <source>Allow it?</source>
        <translation>Erlauben?</translation>
    </message>
    <message>
        <source>The model wants to call {tool} of {server}. {words}</source>
        <translation>Das Modell möchte {tool} von {server} aufrufen. {words}</translation>
    </message>
    <message>
        <source>It was denied: nobody can be asked here (see --approve).</source>
        <translation>Es wurde abgelehnt: Hier kann niemand gefragt werden (siehe --approve).</translation>
    </message>
    <message>
        <source>A ChatDesk window is open and answers this question, so --tools and --approve cannot be used.</source>
        <translation>Ein Fenster von ChatDesk ist offen und beantwortet diese Frage, deshalb können --tools und --approve nicht verwendet werden.</translation>
    </message>
    <message>
        <source>The question was not sent.</source>
        <translation>Die Frage wurde nicht gesendet.</translation>
    </message>
    <message>
        <source>Choose the tools in the window, or close it.</source>
        <translation>Wählen Sie die Werkzeuge im Fenster, oder schließen Sie es.</translation>
    </message>
    <message>
        <source>There is no tool server {first}.</source>
        <translation>Es gibt keinen Werkzeugserver {first}.</translation>
    </message>
    <message>
        <source>See &apos;chatdesk tools list&apos;.</source>
        <translation>Siehe &apos;chatdesk tools list&apos;.</translation>
    </message>
    <message>
        <source>There is no tool server {name}: --approve allows nothing by this name.</source>
        <translation>Es gibt keinen Werkzeugserver {name}: Unter diesem Namen erlaubt --approve nichts.</translation>
    </message>
    <message>
        <source>{name} has several meanings: {names}.</source>
        <translation>{name} hat mehrere Bedeutungen: {names}.</translation>
    </message>
    <message>
        <source>Give each tool server a name of its own, or use its id (&apos;chatdesk tools list&apos;).</source>
        <translation>Geben Sie jedem Werkzeugserver einen eigenen Namen, oder verwenden Sie seine Kennung (&apos;chatdesk tools list&apos;).</translation>
    </message>
    <message>
        <source>There are several assistants called {name}.</source>
        <translation>Es gibt mehrere Assistenten namens {name}.</translation>
    </message>
    <message>
        <source>There is no assistant called {name}.</source>
        <translation>Es gibt keinen Assistenten namens {name}.</translation>
    </message>
    <message>
        <source>There are: {names}.</source>
        <translation>Es gibt: {names}.</translation>
    </message>
    <message>
        <source>none</source>
        <translation>keine</translation>
    </message>
    <message>
        <source>write threads as Markdown, JSON, HTML or PDF</source>
        <translation>Unterhaltungen als Markdown, JSON, HTML oder PDF schreiben</translation>
    </message>
    <message>
        <source>all threads of this project (its name or id)</source>
        <translation>alle Unterhaltungen dieses Projekts (Name oder Kennung)</translation>
    </message>
    <message>
        <source>make a backup now</source>
        <translation>jetzt eine Sicherung erstellen</translation>
    </message>
    <message>
        <source>have the same chats on your own computers, through a folder</source>
        <translation>dieselben Chats auf allen eigenen Computern haben, über einen Ordner</translation>
    </message>
    <message>
        <source>an empty folder that something carries to your other computers</source>
        <translation>ein leerer Ordner, den etwas auf Ihre anderen Computer überträgt</translation>
    </message>
    <message>
        <source>begin with the first computer, and print the recovery phrase once</source>
        <translation>mit dem ersten Computer beginnen und die Wiederherstellungsphrase einmal ausgeben</translation>
    </message>
    <message>
        <source>join with a further computer, or again with a restored one</source>
        <translation>mit einem weiteren Computer beitreten, oder erneut mit einem wiederhergestellten</translation>
    </message>
    <message>
        <source>the same folder as on the other computers</source>
        <translation>derselbe Ordner wie auf den anderen Computern</translation>
    </message>
    <message>
        <source>read the recovery phrase from FILE; else it is asked for</source>
        <translation>die Wiederherstellungsphrase aus FILE lesen; sonst wird nach ihr gefragt</translation>
    </message>
    <message>
        <source>do not ask</source>
        <translation>nicht fragen</translation>
    </message>
    <message>
        <source>write what is new here into the folder, and read what others wrote</source>
        <translation>in den Ordner schreiben, was hier neu ist, und lesen, was andere geschrieben haben</translation>
    </message>
    <message>
        <source>remove a computer, such as a lost one, and make a new recovery phrase</source>
        <translation>einen Computer entfernen, etwa einen verlorenen, und eine neue Wiederherstellungsphrase erstellen</translation>
    </message>
    <message>
        <source>the name or id of the computer</source>
        <translation>der Name oder die Kennung des Computers</translation>
    </message>
    <message>
        <source>wait at most this long ({seconds})</source>
        <translation>höchstens so lange warten ({seconds})</translation>
    </message>
    <message>
        <source>bring everything back on an empty profile, with the recovery phrase</source>
        <translation>in einem leeren Profil alles zurückholen, mit der Wiederherstellungsphrase</translation>
    </message>
    <message>
        <source>show your computers, and what waits</source>
        <translation>die eigenen Computer zeigen, und was noch wartet</translation>
    </message>
    <message>
        <source>stop reading and writing the folder, until &apos;resume&apos;</source>
        <translation>den Ordner nicht mehr lesen und beschreiben, bis &apos;resume&apos;</translation>
    </message>
    <message>
        <source>read and write the folder again</source>
        <translation>den Ordner wieder lesen und beschreiben</translation>
    </message>
    <message>
        <source>forget the folder; everything stays on this computer</source>
        <translation>den Ordner vergessen; alles bleibt auf diesem Computer</translation>
    </message>
    <message>
        <source>A folder has a name.</source>
        <translation>Ein Ordner hat einen Namen.</translation>
    </message>
    <message>
        <source>Name one that others carry.</source>
        <translation>Geben Sie einen an, der auf andere Computer übertragen wird.</translation>
    </message>
    <message>
        <source>This is no folder.</source>
        <translation>Das ist kein Ordner.</translation>
    </message>
    <message>
        <source>The file with the recovery phrase cannot be read: {reason}.</source>
        <translation>Die Datei mit der Wiederherstellungsphrase kann nicht gelesen werden: {reason}.</translation>
    </message>
    <message>
        <source>A computer has a name.</source>
        <translation>Ein Computer hat einen Namen.</translation>
    </message>
    <message>
        <source>It keeps your computers in step by itself. Close it to do this here.</source>
        <translation>Es gleicht Ihre Computer von selbst ab. Schließen Sie es, um das hier zu tun.</translation>
    </message>
    <message>
        <source>This is your recovery phrase. Write it down: your other computers need it, and with it alone you get your chats back. Whoever has it and the folder can read everything. It is not shown again.</source>
        <translation>Das ist Ihre Wiederherstellungsphrase. Schreiben Sie sie auf: Ihre anderen Computer brauchen sie, und mit ihr allein bekommen Sie Ihre Chats zurück. Wer sie und den Ordner hat, kann alles lesen. Sie wird nicht noch einmal gezeigt.</translation>
    </message>
    <message>
        <source>Recovery phrase: </source>
        <translation>Wiederherstellungsphrase: </translation>
    </message>
    <message>
        <source>The folder has {size} and is used by: {computers}.</source>
        <translation>Der Ordner hat {size} und wird verwendet von: {computers}.</translation>
    </message>
    <message>
        <source>Bring everything here?</source>
        <translation>Alles hierher holen?</translation>
    </message>
    <message>
        <source>Merge the chats of this computer with theirs?</source>
        <translation>Die Chats dieses Computers mit ihren zusammenführen?</translation>
    </message>
    <message>
        <source>Remove {name}? Your other computers then need the new recovery phrase, which is shown. {name} keeps, and can read, everything that it had, and gets nothing new.</source>
        <translation>{name} entfernen? Ihre anderen Computer brauchen dann die neue Wiederherstellungsphrase, die gezeigt wird. {name} behält alles, was dort schon war, kann es lesen und bekommt nichts Neues.</translation>
    </message>
    <message>
        <source>{name} was removed. Join again with the new phrase on your other computers.</source>
        <translation>{name} wurde entfernt. Treten Sie auf Ihren anderen Computern mit der neuen Phrase wieder bei.</translation>
    </message>
    <message>
        <source>Paused: nothing is read or written there.</source>
        <translation>Pausiert: Dort wird nichts gelesen oder geschrieben.</translation>
    </message>
    <message>
        <source>Your computers are kept in step again.</source>
        <translation>Ihre Computer werden wieder abgeglichen.</translation>
    </message>
    <message>
        <source>{name} (this one)</source>
        <translation>{name} (dieser)</translation>
    </message>
    <message>
        <source>{computer}, last here {moment}</source>
        <translation>{computer}, zuletzt hier {moment}</translation>
    </message>
    <message numerus="yes">
        <source>{count} files of it have not arrived yet</source>
        <comment>{count} file of it has not arrived yet</comment>
        <translation>
            <numerusform>{count} Datei davon ist noch nicht angekommen</numerusform>
            <numerusform>{count} Dateien davon sind noch nicht angekommen</numerusform>
        </translation>
    </message>
    <message>
        <source>the folder has older files of it than before</source>
        <translation>der Ordner hat ältere Dateien davon als vorher</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes are not in the folder yet. Your other computers do not get them.</source>
        <comment>{count} change is not in the folder yet. Your other computers do not get it.</comment>
        <translation>
            <numerusform>{count} Änderung ist noch nicht im Ordner. Ihre anderen Computer bekommen sie nicht.</numerusform>
            <numerusform>{count} Änderungen sind noch nicht im Ordner. Ihre anderen Computer bekommen sie nicht.</numerusform>
        </translation>
    </message>
    <message>
        <source>Forget the folder {folder}? Its projects stay here as private ones.</source>
        <translation>Den Ordner {folder} vergessen? Seine Projekte bleiben hier als private erhalten.</translation>
    </message>
    <message>
        <source>This computer has left {folder}. The files there stay for your other computers, and nobody can read them without the recovery phrase. With it you can join again.</source>
        <translation>Dieser Computer hat {folder} verlassen. Die Dateien dort bleiben für Ihre anderen Computer, und ohne die Wiederherstellungsphrase kann sie niemand lesen. Mit ihr können Sie wieder beitreten.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers sync&apos; continues.</source>
        <translation>&apos;chatdesk computers sync&apos; macht weiter.</translation>
    </message>
    <message>
        <source>Join again with the recovery phrase: &apos;chatdesk computers join&apos;.</source>
        <translation>Treten Sie mit der Wiederherstellungsphrase wieder bei: &apos;chatdesk computers join&apos;.</translation>
    </message>
    <message>
        <source>Everything is in the folder, and everything in the folder is here.</source>
        <translation>Alles von hier ist im Ordner, und alles aus dem Ordner ist hier.</translation>
    </message>
    <message>
        <source>Attached files are on their way.</source>
        <translation>Angehängte Dateien sind unterwegs.</translation>
    </message>
    <message numerus="yes">
        <source>{count} files in the folder are incomplete, or were changed. What they bring waits.</source>
        <comment>{count} file in the folder is incomplete, or was changed. What it brings waits.</comment>
        <translation>
            <numerusform>{count} Datei im Ordner ist unvollständig oder wurde verändert. Was sie bringt, wartet.</numerusform>
            <numerusform>{count} Dateien im Ordner sind unvollständig oder wurden verändert. Was sie bringen, wartet.</numerusform>
        </translation>
    </message>
    <message>
        <source>It is at {path}.</source>
        <translation>Es liegt unter {path}.</translation>
    </message>
    <message>
        <source>This format needs a file or folder to write to.</source>
        <translation>Dieses Format braucht eine Datei oder einen Ordner als Ziel.</translation>
    </message>
    <message>
        <source>Give one with --output.</source>
        <translation>Geben Sie das Ziel mit --output an.</translation>
    </message>
    <message>
        <source>Choose threads, a project, or everything, but not two of them.</source>
        <translation>Wählen Sie Unterhaltungen, ein Projekt oder alles, aber nicht zwei davon.</translation>
    </message>
    <message>
        <source>Leave one of them out.</source>
        <translation>Lassen Sie eines davon weg.</translation>
    </message>
    <message>
        <source>Nothing to export was named.</source>
        <translation>Es wurde nichts zum Exportieren angegeben.</translation>
    </message>
    <message>
        <source>Give a thread, --project NAME or --all.</source>
        <translation>Geben Sie eine Unterhaltung, --project NAME oder --all an.</translation>
    </message>
    <message>
        <source>id of the thread, or the start of it</source>
        <translation>Kennung der Unterhaltung oder deren Anfang</translation>
    </message>
    <message>
        <source>everything</source>
        <translation>alles</translation>
    </message>
    <message>
        <source>include the trash</source>
        <translation>auch den Papierkorb</translation>
    </message>
    <message>
        <source>file to write (with json, a .zip includes the attachments), or a folder for several threads</source>
        <translation>Zieldatei (bei json enthält ein .zip auch die Anhänge) oder ein Ordner für mehrere Unterhaltungen</translation>
    </message>
    <message>
        <source>zip file to write, with the database and all attachments</source>
        <translation>ZIP-Datei, die geschrieben wird, mit der Datenbank und allen Anhängen</translation>
    </message>
    <message>
        <source>replace the database with a backup</source>
        <translation>die Datenbank durch eine Sicherung ersetzen</translation>
    </message>
    <message>
        <source>path of the backup, or its name in the backup directory</source>
        <translation>Pfad der Sicherung oder ihr Name im Sicherungsverzeichnis</translation>
    </message>
    <message>
        <source>list the backups, newest first</source>
        <translation>die Sicherungen auflisten, die neueste zuerst</translation>
    </message>
    <message>
        <source>an attachment was left out: {sentence}</source>
        <translation>ein Anhang wurde weggelassen: {sentence}</translation>
    </message>
    <message>
        <source>A window is open on this data directory, and it makes the regular backups.</source>
        <translation>Mit diesem Datenverzeichnis ist ein Fenster offen; es erstellt die regelmäßigen Sicherungen.</translation>
    </message>
    <message>
        <source>Use Settings, Data and backup, Back up now; or give a FILE.</source>
        <translation>Verwenden Sie Einstellungen, Daten und Sicherung, „Jetzt sichern“; oder geben Sie eine DATEI an.</translation>
    </message>
    <message>
        <source>Close the window, or choose another --data-dir.</source>
        <translation>Schließen Sie das Fenster, oder wählen Sie ein anderes --data-dir.</translation>
    </message>
    <message>
        <source>Replace the current database with it? The current one is kept.</source>
        <translation>Die jetzige Datenbank dadurch ersetzen? Sie bleibt erhalten.</translation>
    </message>
    <message>
        <source>No backup was named.</source>
        <translation>Es wurde keine Sicherung angegeben.</translation>
    </message>
    <message>
        <source>&apos;chatdesk restore --list&apos; lists them.</source>
        <translation>&apos;chatdesk restore --list&apos; listet sie auf.</translation>
    </message>
    <message>
        <source>nothing was changed</source>
        <translation>es wurde nichts geändert</translation>
    </message>
    <message>
        <source>The backup was restored.</source>
        <translation>Die Sicherung wurde wiederhergestellt.</translation>
    </message>
    <message>
        <source>The database as it was before is kept at {kept}.</source>
        <translation>Die Datenbank, wie sie vorher war, ist unter {kept} erhalten.</translation>
    </message>
    <message>
        <source>{file}, made {time}</source>
        <translation>{file}, erstellt {time}</translation>
    </message>
    <message>
        <source>Threads: {threads}, messages: {messages}, schema version {schema}</source>
        <translation>Unterhaltungen: {threads}, Nachrichten: {messages}, Schemaversion {schema}</translation>
    </message>
    <message>
        <source>Close the window, or use Settings, Data and backup, Repair in it.</source>
        <translation>Schließen Sie das Fenster, oder verwenden Sie darin Einstellungen, Daten und Sicherung, „Reparieren“.</translation>
    </message>
    <message>
        <source>The database could not be upgraded as it was, so a copy of it was repaired and upgraded.</source>
        <translation>Die Datenbank ließ sich so, wie sie war, nicht aktualisieren; deshalb wurde eine Kopie davon repariert und aktualisiert.</translation>
    </message>
    <message>
        <source>The database was damaged; what could be read was copied into a new one.</source>
        <translation>Die Datenbank war beschädigt; was lesbar war, wurde in eine neue kopiert.</translation>
    </message>
    <message>
        <source>The damaged one is kept at {kept}. Compare with &apos;chatdesk restore --list&apos;: a backup may hold more.</source>
        <translation>Die beschädigte ist unter {kept} erhalten. Vergleichen Sie mit &apos;chatdesk restore --list&apos;: Eine Sicherung enthält vielleicht mehr.</translation>
    </message>
    <message>
        <source>fill a data directory with made-up threads</source>
        <translation>ein Datenverzeichnis mit erfundenen Unterhaltungen füllen</translation>
    </message>
    <message>
        <source>make about N messages in total (500)</source>
        <translation>insgesamt etwa N Nachrichten erzeugen (500)</translation>
    </message>
    <message>
        <source>seed for the made-up texts; another number makes other texts (1)</source>
        <translation>Startwert für die erfundenen Texte; eine andere Zahl erzeugt andere Texte (1)</translation>
    </message>
    <message>
        <source>add them even if there are threads already</source>
        <translation>auch hinzufügen, wenn es schon Unterhaltungen gibt</translation>
    </message>
    <message>
        <source>At most {most_messages} messages can be made at once.</source>
        <translation>Auf einmal können höchstens {most_messages} Nachrichten erzeugt werden.</translation>
    </message>
    <message>
        <source>Choose fewer.</source>
        <translation>Wählen Sie weniger.</translation>
    </message>
    <message>
        <source>ChatDesk is open on this data directory.</source>
        <translation>ChatDesk ist mit diesem Datenverzeichnis offen.</translation>
    </message>
    <message>
        <source>Close it, or choose another one.</source>
        <translation>Schließen Sie es, oder wählen Sie ein anderes.</translation>
    </message>
    <message>
        <source>There are threads in this data directory already ({count}).</source>
        <translation>In diesem Datenverzeichnis sind schon Unterhaltungen ({count}).</translation>
    </message>
    <message>
        <source>Choose an empty one with --data-dir, or give --add to put the made-up ones among them.</source>
        <translation>Wählen Sie mit --data-dir ein leeres, oder geben Sie --add an, um die erfundenen dazuzulegen.</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads</source>
        <comment>{count} thread</comment>
        <translation>
            <numerusform>{count} Unterhaltung</numerusform>
            <numerusform>{count} Unterhaltungen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages</source>
        <comment>{count} message</comment>
        <translation>
            <numerusform>{count} Nachricht</numerusform>
            <numerusform>{count} Nachrichten</numerusform>
        </translation>
    </message>
    <message>
        <source>Made {threads} with {messages}.</source>
        <translation>{threads} mit {messages} erzeugt.</translation>
    </message>
    <message>
        <source>written to {file}; look through it before you send it</source>
        <translation>in {file} geschrieben; sehen Sie es durch, bevor Sie es senden</translation>
    </message>
    <message>
        <source>This process may open only {limit} files at once, and ChatDesk needs at least {needed}.</source>
        <translation>Dieser Prozess darf nur {limit} Dateien auf einmal öffnen, und ChatDesk braucht mindestens {needed}.</translation>
    </message>
    <message>
        <source>Raise the limit (ulimit -n 256), then try again.</source>
        <translation>Erhöhen Sie die Grenze (ulimit -n 256) und versuchen Sie es dann erneut.</translation>
    </message>
    <message>
        <source>Check its owner and permissions, or choose another with --data-dir.</source>
        <translation>Prüfen Sie Eigentümer und Rechte, oder wählen Sie ein anderes mit --data-dir.</translation>
    </message>
    <message>
        <source>The data directory cannot be used: {file} is a file.</source>
        <translation>Das Datenverzeichnis kann nicht verwendet werden: {file} ist eine Datei.</translation>
    </message>
    <message>
        <source>Choose a directory with --data-dir.</source>
        <translation>Wählen Sie mit --data-dir ein Verzeichnis.</translation>
    </message>
    <message>
        <source>The data directory cannot be used: The disk of {directory} is full.</source>
        <translation>Das Datenverzeichnis kann nicht verwendet werden: Der Datenträger von {directory} ist voll.</translation>
    </message>
    <message>
        <source>Free some space, or choose another with --data-dir.</source>
        <translation>Schaffen Sie Platz, oder wählen Sie ein anderes mit --data-dir.</translation>
    </message>
    <message>
        <source>The data directory cannot be used: {file} may not be opened or made by this user.</source>
        <translation>Das Datenverzeichnis kann nicht verwendet werden: {file} darf von diesem Benutzer nicht geöffnet oder angelegt werden.</translation>
    </message>
    <message>
        <source>The data directory cannot be used: {reason}: {file}.</source>
        <translation>Das Datenverzeichnis kann nicht verwendet werden: {reason}: {file}.</translation>
    </message>
    <message>
        <source>Nothing was changed.</source>
        <translation>Es wurde nichts geändert.</translation>
    </message>
    <message>
        <source>This process may not open more files at once.</source>
        <translation>Dieser Prozess darf keine weiteren Dateien öffnen.</translation>
    </message>
    <message>
        <source>What was saved before is unchanged.</source>
        <translation>Was vorher gespeichert wurde, ist unverändert.</translation>
    </message>
    <message>
        <source>The system gives this process no more memory or threads.</source>
        <translation>Das System gibt diesem Prozess keinen weiteren Speicher oder keine Threads mehr.</translation>
    </message>
    <message>
        <source>Close other programs or raise the limits (ulimit), then try again.</source>
        <translation>Schließen Sie andere Programme oder erhöhen Sie die Grenzen (ulimit) und versuchen Sie es dann erneut.</translation>
    </message>
    <message>
        <source>put the threads into this project (by default one named after the program)</source>
        <translation>die Unterhaltungen in dieses Projekt legen (sonst eines, das nach dem Programm heißt)</translation>
    </message>
    <message>
        <source>import an export of ChatDesk or of another program</source>
        <translation>einen Export von ChatDesk oder einem anderen Programm importieren</translation>
    </message>
    <message>
        <source>export of another program: a zip, JSON, JSON Lines or CSV file, or a folder</source>
        <translation>Export eines anderen Programms: eine ZIP-, JSON-, JSON-Lines- oder CSV-Datei oder ein Ordner</translation>
    </message>
    <message>
        <source>remember the facts that ChatGPT or Claude remembered, too</source>
        <translation>auch die Fakten übernehmen, die ChatGPT oder Claude sich gemerkt haben</translation>
    </message>
    <message>
        <source>only report what would be imported</source>
        <translation>nur berichten, was importiert würde</translation>
    </message>
    <message>
        <source>print the report as JSON</source>
        <translation>den Bericht als JSON ausgeben</translation>
    </message>
    <message>
        <source>Import the file in its window, or close it first.</source>
        <translation>Importieren Sie die Datei in dessen Fenster, oder schließen Sie es zuerst.</translation>
    </message>
    <message numerus="yes">
        <source>{percent} %  {count} threads</source>
        <comment>{percent} %  {count} thread</comment>
        <translation>
            <numerusform>{percent} %  {count} Unterhaltung</numerusform>
            <numerusform>{percent} %  {count} Unterhaltungen</numerusform>
        </translation>
    </message>
    <message>
        <source>Reading the files, so that a search finds what is in them…</source>
        <translation>Die Dateien werden gelesen, damit die Suche findet, was darin steht…</translation>
    </message>
    <message>
        <source>Memory: {text}</source>
        <translation>Erinnerung: {text}</translation>
    </message>
    <message>
        <source>--memories keeps them, and they are sent to the providers that you allow.</source>
        <translation>Mit --memories werden sie behalten und an die Anbieter gesendet, denen Sie es erlauben.</translation>
    </message>
    <message>
        <source>Memory is off. Once it is on, --memories keeps them, for the providers that you allow.</source>
        <translation>Das Gedächtnis ist aus. Sobald es an ist, werden sie mit --memories behalten, für die Anbieter, denen Sie es erlauben.</translation>
    </message>
    <message>
        <source>check the database, the paths and the providers</source>
        <translation>Datenbank, Pfade und Anbieter prüfen</translation>
    </message>
    <message>
        <source>answer from your own files</source>
        <translation>aus Ihren eigenen Dateien antworten</translation>
    </message>
    <message>
        <source>add a folder, a file or a web page, and read it</source>
        <translation>einen Ordner, eine Datei oder eine Webseite hinzufügen und lesen</translation>
    </message>
    <message>
        <source>list what a project has, and how far it is read</source>
        <translation>auflisten, was ein Projekt hat und wie weit es gelesen ist</translation>
    </message>
    <message>
        <source>find the passages that fit a question</source>
        <translation>die Stellen finden, die zu einer Frage passen</translation>
    </message>
    <message>
        <source>try questions with the file that should be found</source>
        <translation>Fragen mit der Datei ausprobieren, die gefunden werden soll</translation>
    </message>
    <message>
        <source>forget a folder, file or page</source>
        <translation>einen Ordner, eine Datei oder eine Seite vergessen</translation>
    </message>
    <message>
        <source>choose what the team of a shared project gets of it</source>
        <translation>wählen, was das Team eines geteilten Projekts davon bekommt</translation>
    </message>
    <message>
        <source>choose what makes the vectors for finding by meaning</source>
        <translation>wählen, womit die Vektoren für das Finden nach Bedeutung berechnet werden</translation>
    </message>
    <message>
        <source>list the providers that get the files, or never do</source>
        <translation>die Anbieter auflisten, die die Dateien bekommen oder nie bekommen</translation>
    </message>
    <message>
        <source>folder, file, or address of a web page</source>
        <translation>Ordner, Datei oder Adresse einer Webseite</translation>
    </message>
    <message>
        <source>leave out what a line of a .gitignore would</source>
        <translation>auslassen, was eine Zeile einer .gitignore auslassen würde</translation>
    </message>
    <message>
        <source>read it though its name looks like that of a secret</source>
        <translation>lesen, obwohl der Name nach einem Geheimnis aussieht</translation>
    </message>
    <message>
        <source>what you want to know</source>
        <translation>was Sie wissen möchten</translation>
    </message>
    <message>
        <source>at most N passages (8)</source>
        <translation>höchstens N Stellen (8)</translation>
    </message>
    <message>
        <source>JSON list of objects with a question and a file; - reads stdin; without it, the kept questions</source>
        <translation>JSON-Liste von Objekten mit einer Frage (question) und einer Datei (file); - liest stdin; ohne sie die gespeicherten Fragen</translation>
    </message>
    <message>
        <source>keep those of FILE, and try all that are kept</source>
        <translation>die aus FILE behalten und alle gespeicherten ausprobieren</translation>
    </message>
    <message>
        <source>nothing, its name, or the text of its files too</source>
        <translation>nichts, den Namen oder auch den Text der Dateien</translation>
    </message>
    <message>
        <source>a model for embeddings of one of your providers</source>
        <translation>ein Embedding-Modell eines Ihrer Anbieter</translation>
    </message>
    <message>
        <source>the vectors that come with ChatDesk, without a network</source>
        <translation>die Vektoren, die ChatDesk mitbringt, ohne Netz</translation>
    </message>
    <message>
        <source>with --model: do it, after its cost was told</source>
        <translation>mit --model: ausführen, nachdem die Kosten genannt wurden</translation>
    </message>
    <message>
        <source>never send the files of the project to it</source>
        <translation>die Dateien des Projekts nie an ihn senden</translation>
    </message>
    <message>
        <source>send them again</source>
        <translation>sie wieder senden</translation>
    </message>
    <message>
        <source>its id or place, as listed</source>
        <translation>seine Kennung oder sein Ort, wie aufgelistet</translation>
    </message>
    <message>
        <source>as JSON</source>
        <translation>als JSON</translation>
    </message>
    <message>
        <source>The question is empty.</source>
        <translation>Die Frage ist leer.</translation>
    </message>
    <message>
        <source>There is no file of questions to keep.</source>
        <translation>Es gibt keine Datei mit Fragen, die behalten werden sollen.</translation>
    </message>
    <message>
        <source>Give a FILE with --keep.</source>
        <translation>Geben Sie mit --keep eine Datei (FILE) an.</translation>
    </message>
    <message>
        <source>“{file}” is no JSON list of objects with a question and a file.</source>
        <translation>„{file}“ ist keine JSON-Liste von Objekten mit einer Frage (question) und einer Datei (file).</translation>
    </message>
    <message>
        <source>Write: {example}</source>
        <translation>Schreiben Sie: {example}</translation>
    </message>
    <message>
        <source>“{model}” is no provider and model.</source>
        <translation>„{model}“ nennt nicht Anbieter und Modell.</translation>
    </message>
    <message>
        <source>--yes belongs to --model.</source>
        <translation>--yes gehört zu --model.</translation>
    </message>
    <message>
        <source>ChatDesk is open and reads the files of projects.</source>
        <translation>ChatDesk ist offen und liest die Dateien der Projekte.</translation>
    </message>
    <message>
        <source>Change them in the window, in the project&apos;s Files, or close ChatDesk first.</source>
        <translation>Ändern Sie sie im Fenster unter „Dateien des Projekts“, oder schließen Sie ChatDesk zuerst.</translation>
    </message>
    <message>
        <source>looks like a secret, not read</source>
        <translation>sieht nach einem Geheimnis aus, nicht gelesen</translation>
    </message>
    <message>
        <source>, page {page}</source>
        <translation>, Seite {page}</translation>
    </message>
    <message>
        <source>No questions are kept for this project.</source>
        <translation>Für dieses Projekt sind keine Fragen gespeichert.</translation>
    </message>
    <message>
        <source>Give a FILE with --keep, or add some in the window, in the project&apos;s Files.</source>
        <translation>Geben Sie mit --keep eine Datei (FILE) an, oder fügen Sie im Fenster unter „Dateien des Projekts“ Fragen hinzu.</translation>
    </message>
    <message>
        <source>{hits} of {total} among the first five</source>
        <translation>{hits} von {total} unter den ersten fünf</translation>
    </message>
    <message>
        <source>The project has no such folder, file or page.</source>
        <translation>Das Projekt hat keinen solchen Ordner und keine solche Datei oder Seite.</translation>
    </message>
    <message>
        <source>See &apos;chatdesk knowledge list&apos;.</source>
        <translation>Siehe &apos;chatdesk knowledge list&apos;.</translation>
    </message>
    <message>
        <source>There is no provider “{provider}”.</source>
        <translation>Es gibt keinen Anbieter „{provider}“.</translation>
    </message>
    <message>
        <source>See &apos;chatdesk providers list&apos;.</source>
        <translation>Siehe &apos;chatdesk providers list&apos;.</translation>
    </message>
    <message>
        <source>gets the files</source>
        <translation>bekommt die Dateien</translation>
    </message>
    <message>
        <source>Nothing was sent or changed. Add --yes to do it.</source>
        <translation>Es wurde nichts gesendet oder geändert. Mit --yes wird es ausgeführt.</translation>
    </message>
    <message numerus="yes">
        <source>{count} files read</source>
        <comment>{count} file read</comment>
        <translation>
            <numerusform>{count} Datei gelesen</numerusform>
            <numerusform>{count} Dateien gelesen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} to be read</source>
        <comment>{count} to be read</comment>
        <translation>
            <numerusform>{count} noch zu lesen</numerusform>
            <numerusform>{count} noch zu lesen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} cannot be read</source>
        <comment>{count} cannot be read</comment>
        <translation>
            <numerusform>{count} kann nicht gelesen werden</numerusform>
            <numerusform>{count} können nicht gelesen werden</numerusform>
        </translation>
    </message>
    <message>
        <source>paused</source>
        <translation>pausiert</translation>
    </message>
    <message>
        <source>keep all data in DIR (or set CHATDESK_DATA_DIR)</source>
        <translation>alle Daten in DIR aufbewahren (oder CHATDESK_DATA_DIR setzen)</translation>
    </message>
    <message>
        <source>write more to the log, and to stderr too</source>
        <translation>mehr ins Protokoll schreiben, auch nach stderr</translation>
    </message>
    <message>
        <source>Chat with language models. Without a command, the window opens.</source>
        <translation>Mit Sprachmodellen chatten. Ohne Befehl öffnet sich das Fenster.</translation>
    </message>
    <message>
        <source>also write a zip to attach to a bug report</source>
        <translation>auch ein ZIP schreiben, das einem Fehlerbericht beigelegt werden kann</translation>
    </message>
    <message>
        <source>repair the database, keeping a copy of it</source>
        <translation>die Datenbank reparieren und eine Kopie von ihr behalten</translation>
    </message>
    <message>
        <source>The output could not be written: {reason}.</source>
        <translation>Die Ausgabe konnte nicht geschrieben werden: {reason}.</translation>
    </message>
    <message>
        <source>unrecognized arguments: {unknown}</source>
        <translation>unbekannte Argumente: {unknown}</translation>
    </message>
    <message>
        <source>Something unexpected happened: {title}. Your messages are kept.</source>
        <translation>Etwas Unerwartetes ist geschehen: {title}. Ihre Nachrichten bleiben erhalten.</translation>
    </message>
    <message>
        <source>A report is in {path}.</source>
        <translation>Ein Bericht liegt in {path}.</translation>
    </message>
    <message>
        <source>let an editor or assistant read threads (MCP, stdio)</source>
        <translation>einen Editor oder Assistenten Unterhaltungen lesen lassen (MCP, stdio)</translation>
    </message>
    <message>
        <source>also allow ask, write (drafts), or ask,write</source>
        <translation>auch ask, write (Entwürfe) oder ask,write erlauben</translation>
    </message>
    <message>
        <source>it must be ask, write, or ask,write</source>
        <translation>es muss ask, write oder ask,write sein</translation>
    </message>
    <message>
        <source>Give the id of a thread, a link that begins with chatdesk://, or the path of a file.</source>
        <translation>Geben Sie die Kennung einer Unterhaltung, einen Link, der mit chatdesk:// beginnt, oder den Pfad einer Datei an.</translation>
    </message>
    <message>
        <source>“{target}” is neither a thread, a link nor a file that is there.</source>
        <translation>„{target}“ ist weder eine Unterhaltung noch ein Link noch eine vorhandene Datei.</translation>
    </message>
    <message>
        <source>show a thread, a link or a file in the window</source>
        <translation>eine Unterhaltung, einen Link oder eine Datei im Fenster zeigen</translation>
    </message>
    <message>
        <source>the id of a thread, a link (chatdesk://…), an export of chats or an invitation</source>
        <translation>die Kennung einer Unterhaltung, ein Link (chatdesk://…), ein Export von Chats oder eine Einladung</translation>
    </message>
    <message>
        <source>start a new thread, as the launcher&apos;s menu does</source>
        <translation>eine neue Unterhaltung beginnen, wie das Menü des Starters</translation>
    </message>
    <message>
        <source>open the search, as the launcher&apos;s menu does</source>
        <translation>die Suche öffnen, wie das Menü des Starters</translation>
    </message>
    <message>
        <source>open the field for a quick question (to bind to a key)</source>
        <translation>das Feld für eine schnelle Frage öffnen (zum Belegen einer Taste)</translation>
    </message>
    <message>
        <source>key from {variable}</source>
        <translation>Schlüssel aus {variable}</translation>
    </message>
    <message>
        <source>key in the keyring</source>
        <translation>Schlüssel im Schlüsselbund</translation>
    </message>
    <message>
        <source>key in the encrypted file</source>
        <translation>Schlüssel in der verschlüsselten Datei</translation>
    </message>
    <message>
        <source>key for this run</source>
        <translation>Schlüssel bis zum Beenden</translation>
    </message>
    <message>
        <source>no key</source>
        <translation>kein Schlüssel</translation>
    </message>
    <message>
        <source>key withheld</source>
        <translation>Schlüssel zurückgehalten</translation>
    </message>
    <message>
        <source>skipped</source>
        <translation>übersprungen</translation>
    </message>
    <message>
        <source>list the providers that are set up</source>
        <translation>die eingerichteten Anbieter auflisten</translation>
    </message>
    <message>
        <source>test each of them, step by step</source>
        <translation>jeden davon testen, Schritt für Schritt</translation>
    </message>
    <message>
        <source>allow this provider&apos;s key to be sent to its current server</source>
        <translation>den Schlüssel dieses Anbieters an dessen jetzigen Server senden lassen</translation>
    </message>
    <message>
        <source>No key of {provider} is waiting for your agreement.</source>
        <translation>Kein Schlüssel von {provider} wartet auf Ihre Zustimmung.</translation>
    </message>
    <message>
        <source>with --agree: do not ask</source>
        <translation>mit --agree: nicht fragen</translation>
    </message>
    <message>
        <source>a JSON array</source>
        <translation>ein JSON-Array</translation>
    </message>
    <message>
        <source>Offline demo</source>
        <translation>Offline-Demo</translation>
    </message>
    <message>
        <source>Agreed: the key of {provider} goes to {server}.</source>
        <translation>Zugestimmt: Der Schlüssel von {provider} geht an {server}.</translation>
    </message>
    <message>
        <source>Offline demo, without network</source>
        <translation>Offline-Demo, ohne Netz</translation>
    </message>
    <message>
        <source>switched off</source>
        <translation>ausgeschaltet</translation>
    </message>
    <message>
        <source>Messages</source>
        <translation>Nachrichten</translation>
    </message>
    <message>
        <source>Threads</source>
        <translation>Unterhaltungen</translation>
    </message>
    <message>
        <source>Projects</source>
        <translation>Projekte</translation>
    </message>
    <message>
        <source>Tags</source>
        <translation>Schlagwörter</translation>
    </message>
    <message>
        <source>Files</source>
        <translation>Dateien</translation>
    </message>
    <message>
        <source>search messages, threads, projects, tags and files</source>
        <translation>Nachrichten, Unterhaltungen, Projekte, Schlagwörter und Dateien suchen</translation>
    </message>
    <message>
        <source>words, &quot;phrases&quot;, begin*, -not, tag:, before:, …</source>
        <translation>Wörter, &quot;Wortfolgen&quot;, anfang*, -nicht, tag:, before:, …</translation>
    </message>
    <message>
        <source>at most N hits of each kind (20)</source>
        <translation>höchstens N Treffer jeder Art (20)</translation>
    </message>
    <message>
        <source>a JSON array of groups</source>
        <translation>ein JSON-Array von Gruppen</translation>
    </message>
    <message>
        <source>{kind} (more than {count})</source>
        <translation>{kind} (mehr als {count})</translation>
    </message>
    <message>
        <source>{kind} ({count})</source>
        <translation>{kind} ({count})</translation>
    </message>
    <message>
        <source>Nothing was found.</source>
        <translation>Nichts gefunden.</translation>
    </message>
    <message>
        <source>Indexing: {percent} %</source>
        <translation>Indizieren: {percent} %</translation>
    </message>
    <message>
        <source>read, write, ask, admin or remote (read)</source>
        <translation>read, write, ask, admin oder remote (read)</translation>
    </message>
    <message>
        <source>expire after N days</source>
        <translation>nach N Tagen ablaufen</translation>
    </message>
    <message>
        <source>at most N requests a minute</source>
        <translation>höchstens N Anfragen pro Minute</translation>
    </message>
    <message>
        <source>serve other programs on this computer until Ctrl+C</source>
        <translation>andere Programme auf diesem Computer bedienen, bis Strg+C</translation>
    </message>
    <message>
        <source>port to listen on; 0 means any free port</source>
        <translation>Port, auf dem gelauscht wird; 0 bedeutet irgendein freier</translation>
    </message>
    <message>
        <source>make, list and revoke tokens for other programs</source>
        <translation>Token für andere Programme erstellen, auflisten und widerrufen</translation>
    </message>
    <message>
        <source>make a token and print it; it is not shown again</source>
        <translation>ein Token erstellen und ausgeben; es wird nicht noch einmal angezeigt</translation>
    </message>
    <message>
        <source>name of the program that will use it</source>
        <translation>Name des Programms, das es verwenden wird</translation>
    </message>
    <message>
        <source>allow access to this project only</source>
        <translation>nur Zugriff auf dieses Projekt erlauben</translation>
    </message>
    <message>
        <source>use at most N model tokens a minute</source>
        <translation>höchstens N Modell-Token pro Minute verbrauchen</translation>
    </message>
    <message>
        <source>spend at most USD dollars a day</source>
        <translation>höchstens USD Dollar pro Tag ausgeben</translation>
    </message>
    <message>
        <source>write the token to this file instead of printing it</source>
        <translation>das Token in diese Datei schreiben, statt es auszugeben</translation>
    </message>
    <message>
        <source>list the tokens, without their secret texts</source>
        <translation>die Token auflisten, ohne ihre geheimen Texte</translation>
    </message>
    <message>
        <source>revoke a token and end what is being done with it</source>
        <translation>ein Token widerrufen und beenden, was gerade damit geschieht</translation>
    </message>
    <message>
        <source>its name or id</source>
        <translation>sein Name oder seine Kennung</translation>
    </message>
    <message>
        <source>Listening on {url}</source>
        <translation>Lauscht auf {url}</translation>
    </message>
    <message>
        <source>Listening on {socket}</source>
        <translation>Lauscht auf {socket}</translation>
    </message>
    <message>
        <source>The token “{name}”, which is shown only now:</source>
        <translation>Das Token „{name}“, das nur jetzt gezeigt wird:</translation>
    </message>
    <message>
        <source>The token “{name}” is revoked.</source>
        <translation>Das Token „{name}“ ist widerrufen.</translation>
    </message>
    <message>
        <source>never used</source>
        <translation>nie benutzt</translation>
    </message>
    <message>
        <source>used {time}</source>
        <translation>benutzt {time}</translation>
    </message>
    <message>
        <source>until {time}</source>
        <translation>bis {time}</translation>
    </message>
    <message>
        <source>There are no tokens.</source>
        <translation>Es gibt keine Token.</translation>
    </message>
    <message>
        <source>it must be a number from 0 to 65535</source>
        <translation>es muss eine Zahl von 0 bis 65535 sein</translation>
    </message>
    <message>
        <source>it must be a number above 0 and below 1,000,000</source>
        <translation>es muss eine Zahl über 0 und unter 1.000.000 sein</translation>
    </message>
    <message>
        <source>share projects through a team&apos;s database</source>
        <translation>Projekte über die Datenbank eines Teams teilen</translation>
    </message>
    <message>
        <source>Use Settings, Team sync in its window, or close it first.</source>
        <translation>Verwenden Sie Einstellungen, Teamabgleich in dessen Fenster, oder schließen Sie es zuerst.</translation>
    </message>
    <message>
        <source>this profile is in no workspace</source>
        <translation>dieses Profil ist in keinem Arbeitsbereich</translation>
    </message>
    <message>
        <source>owner</source>
        <translation>Eigentümer</translation>
    </message>
    <message>
        <source>show the state of this profile&apos;s workspaces, and what was refused</source>
        <translation>den Zustand der Arbeitsbereiche dieses Profils zeigen, und was abgelehnt wurde</translation>
    </message>
    <message>
        <source>check a server before making a workspace, or what the server of one has lost</source>
        <translation>einen Server prüfen, bevor ein Arbeitsbereich angelegt wird, oder was der Server eines Arbeitsbereichs verloren hat</translation>
    </message>
    <message>
        <source>show or set who may invite and share in a workspace, and its limits</source>
        <translation>zeigt oder setzt, wer in einem Arbeitsbereich einladen und teilen darf, und seine Grenzen</translation>
    </message>
    <message>
        <source>what an owner of the workspace sets</source>
        <translation>was ein Eigentümer des Arbeitsbereichs festlegt</translation>
    </message>
    <message>
        <source>parked: this profile was restored, repaired or copied, and is not connected</source>
        <translation>geparkt: Dieses Profil wurde wiederhergestellt, repariert oder kopiert und ist nicht verbunden</translation>
    </message>
    <message>
        <source>&apos;chatdesk team join&apos; connects again</source>
        <translation>&apos;chatdesk team join&apos; verbindet wieder</translation>
    </message>
    <message>
        <source>member</source>
        <translation>Mitglied</translation>
    </message>
    <message numerus="yes">
        <source>{count} shared</source>
        <comment>{count} shared</comment>
        <translation>
            <numerusform>{count} geteilt</numerusform>
            <numerusform>{count} geteilt</numerusform>
        </translation>
    </message>
    <message>
        <source>{waiting} waiting, {refused} refused</source>
        <translation>{waiting} warten, {refused} abgelehnt</translation>
    </message>
    <message>
        <source>The window lets it go on without them: Settings, Team sync, Details.</source>
        <translation>Das Fenster lässt es ohne sie weitergehen: Einstellungen, Teamabgleich, Details.</translation>
    </message>
    <message numerus="yes">
        <source>{number} projects</source>
        <comment>{number} project</comment>
        <translation>
            <numerusform>{number} Projekt</numerusform>
            <numerusform>{number} Projekte</numerusform>
        </translation>
    </message>
    <message>
        <source>list the members, as the server has them now</source>
        <translation>die Mitglieder auflisten, wie sie jetzt auf dem Server stehen</translation>
    </message>
    <message>
        <source>name or id of the workspace, if there are several</source>
        <translation>Name oder Kennung des Arbeitsbereichs, wenn es mehrere gibt</translation>
    </message>
    <message>
        <source>wait for the server at most this long ({seconds})</source>
        <translation>höchstens so lange auf den Server warten ({seconds})</translation>
    </message>
    <message>
        <source>Only owners erase a project.</source>
        <translation>Nur Eigentümer löschen ein Projekt für alle.</translation>
    </message>
    <message>
        <source>“{name}” is erased.</source>
        <translation>„{name}“ ist gelöscht.</translation>
    </message>
    <message>
        <source>There is no such workspace in this profile.</source>
        <translation>Diesen Arbeitsbereich gibt es in diesem Profil nicht.</translation>
    </message>
    <message>
        <source>&apos;chatdesk team status&apos; lists them.</source>
        <translation>&apos;chatdesk team status&apos; listet sie auf.</translation>
    </message>
    <message>
        <source>There are several workspaces.</source>
        <translation>Es gibt mehrere Arbeitsbereiche.</translation>
    </message>
    <message>
        <source>Name one by its id; &apos;chatdesk team status&apos; lists them.</source>
        <translation>Geben Sie die Kennung eines davon an; &apos;chatdesk team status&apos; listet sie auf.</translation>
    </message>
    <message>
        <source>Passphrase of the file of keys: </source>
        <translation>Passphrase der Schlüsseldatei: </translation>
    </message>
    <message>
        <source>There is no keyring here. New passphrase for an encrypted file of keys: </source>
        <translation>Hier gibt es keinen Schlüsselbund. Neue Passphrase für eine verschlüsselte Schlüsseldatei: </translation>
    </message>
    <message numerus="yes">
        <source>{count} changes wait</source>
        <comment>{count} change waits</comment>
        <translation>
            <numerusform>{count} Änderung wartet</numerusform>
            <numerusform>{count} Änderungen warten</numerusform>
        </translation>
    </message>
    <message>
        <source>No passphrase was given.</source>
        <translation>Es wurde keine Passphrase angegeben.</translation>
    </message>
    <message>
        <source>Type it when you are asked, give it as the next line of stdin, or set {variable}.</source>
        <translation>Geben Sie sie auf Nachfrage oder als nächste Zeile der Standardeingabe ein, oder setzen Sie {variable}.</translation>
    </message>
    <message>
        <source>make a workspace in an empty database</source>
        <translation>in einer leeren Datenbank einen Arbeitsbereich anlegen</translation>
    </message>
    <message>
        <source>name of the workspace</source>
        <translation>Name des Arbeitsbereichs</translation>
    </message>
    <message>
        <source>your name, as the others see it</source>
        <translation>Ihr Name, wie die anderen ihn sehen</translation>
    </message>
    <message>
        <source>print an invitation</source>
        <translation>eine Einladung ausgeben</translation>
    </message>
    <message>
        <source>name of the person</source>
        <translation>Name der Person</translation>
    </message>
    <message>
        <source>valid for N days (7)</source>
        <translation>N Tage gültig (7)</translation>
    </message>
    <message>
        <source>stop being a member, on all computers</source>
        <translation>die Mitgliedschaft beenden, auf allen Computern</translation>
    </message>
    <message>
        <source>upgrade the database of a workspace</source>
        <translation>aktualisiert die Datenbank eines Arbeitsbereichs</translation>
    </message>
    <message>
        <source>the login that set the database up</source>
        <translation>die Anmeldung, mit der die Datenbank eingerichtet wurde</translation>
    </message>
    <message>
        <source>read a password and print the form in which Postgres stores it</source>
        <translation>ein Passwort lesen und die Form ausgeben, in der Postgres es speichert</translation>
    </message>
    <message>
        <source>The workspace {name} was made. You are its owner.</source>
        <translation>Der Arbeitsbereich {name} wurde angelegt. Sie sind sein Eigentümer.</translation>
    </message>
    <message>
        <source>The invitation is in {file}. Anyone who has it can join.</source>
        <translation>Die Einladung liegt in {file}. Wer sie hat, kann beitreten.</translation>
    </message>
    <message>
        <source>Passphrase: </source>
        <translation>Passphrase: </translation>
    </message>
    <message>
        <source>You are in the workspace {name} now.</source>
        <translation>Sie sind jetzt im Arbeitsbereich {name}.</translation>
    </message>
    <message>
        <source>Leave {name}? Its projects stay here as private copies.</source>
        <translation>{name} verlassen? Die Projekte bleiben hier als private Kopien.</translation>
    </message>
    <message>
        <source>You left {name}.</source>
        <translation>Sie haben {name} verlassen.</translation>
    </message>
    <message>
        <source>Connect to {name}, the database {database} on {host}:{port}?</source>
        <translation>Mit {name} verbinden, der Datenbank {database} auf {host}:{port}?</translation>
    </message>
    <message>
        <source>You are in {name} again.</source>
        <translation>Sie sind wieder in {name}.</translation>
    </message>
    <message>
        <source>shared project, and the role in it: viewer, editor, admin or owner; may be repeated</source>
        <translation>geteiltes Projekt und die Rolle darin: viewer, editor, admin oder owner; mehrfach möglich</translation>
    </message>
    <message>
        <source>write the invitation to this file instead of printing it</source>
        <translation>die Einladung in diese Datei schreiben, statt sie auszugeben</translation>
    </message>
    <message>
        <source>join with an invitation, or with a code from another computer of yours</source>
        <translation>mit einer Einladung beitreten oder mit einem Code eines anderen eigenen Computers</translation>
    </message>
    <message>
        <source>accept a server without encryption</source>
        <translation>einen Server ohne Verschlüsselung akzeptieren</translation>
    </message>
    <message>
        <source>stop syncing; everything stays on this computer</source>
        <translation>nicht mehr abgleichen; alles bleibt auf diesem Computer</translation>
    </message>
    <message>
        <source>print a code for another computer of yours</source>
        <translation>einen Code für einen weiteren eigenen Computer ausgeben</translation>
    </message>
    <message>
        <source>write the code to this file instead of printing it</source>
        <translation>den Code in diese Datei schreiben, statt ihn auszugeben</translation>
    </message>
    <message>
        <source>login that owns the database and may create roles</source>
        <translation>Login, dem die Datenbank gehört und das Rollen anlegen darf</translation>
    </message>
    <message>
        <source>address of the server, as postgresql://login@host:5432/database</source>
        <translation>Adresse des Servers, als postgresql://login@host:5432/database</translation>
    </message>
    <message>
        <source>file with the invitation or the code; - reads it from stdin. Without it, a parked team is joined again</source>
        <translation>Datei mit der Einladung oder dem Code; - liest sie von stdin. Ohne sie wird einem geparkten Team wieder beigetreten</translation>
    </message>
    <message>
        <source>name or IP address of the server, instead of --url</source>
        <translation>Name oder IP-Adresse des Servers, statt --url</translation>
    </message>
    <message>
        <source>name of the database</source>
        <translation>Name der Datenbank</translation>
    </message>
    <message>
        <source>certificate of the server&apos;s authority, if it is a private one</source>
        <translation>Zertifikat der Zertifizierungsstelle des Servers, wenn sie eine private ist</translation>
    </message>
    <message>
        <source>connect without encryption; only for a network of your own</source>
        <translation>ohne Verschlüsselung verbinden; nur für ein eigenes Netz</translation>
    </message>
    <message>
        <source>for {name}; it works once, and anyone who has it can join</source>
        <translation>für {name}; sie gilt einmal, und wer sie hat, kann beitreten</translation>
    </message>
    <message>
        <source>its passphrase is {passphrase}; both are valid for a day</source>
        <translation>seine Passphrase ist {passphrase}; beide gelten einen Tag</translation>
    </message>
    <message>
        <source>The database of {name} is up to date.</source>
        <translation>Die Datenbank von {name} ist auf dem neuesten Stand.</translation>
    </message>
    <message>
        <source>Password of {user}: </source>
        <translation>Passwort von {user}: </translation>
    </message>
    <message>
        <source>Password: </source>
        <translation>Passwort: </translation>
    </message>
    <message>
        <source>The others see you as {name}.</source>
        <translation>Die anderen sehen Sie als {name}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} shared projects are called “{name}”.</source>
        <comment>{count} shared project is called “{name}”.</comment>
        <translation>
            <numerusform>{count} geteiltes Projekt heißt „{name}“.</numerusform>
            <numerusform>{count} geteilte Projekte heißen „{name}“.</numerusform>
        </translation>
    </message>
    <message>
        <source>No shared project is called “{name}”.</source>
        <translation>Kein geteiltes Projekt heißt „{name}“.</translation>
    </message>
    <message>
        <source>Nobody was invited.</source>
        <translation>Es wurde niemand eingeladen.</translation>
    </message>
    <message>
        <source>Share it first (&apos;chatdesk team share&apos;), or give its id.</source>
        <translation>Teilen Sie es zuerst (&apos;chatdesk team share&apos;), oder geben Sie die Kennung an.</translation>
    </message>
    <message>
        <source>“{given}” is not a limit with its value.</source>
        <translation>„{given}“ ist keine Grenze mit ihrem Wert.</translation>
    </message>
    <message>
        <source>Use NAME=VALUE with one of these names: {names}.</source>
        <translation>Verwenden Sie NAME=WERT mit einem dieser Namen: {names}.</translation>
    </message>
    <message>
        <source>“{role}” is not a role.</source>
        <translation>„{role}“ ist keine Rolle.</translation>
    </message>
    <message>
        <source>Use viewer, editor, admin or owner.</source>
        <translation>Verwenden Sie viewer, editor, admin oder owner.</translation>
    </message>
    <message>
        <source>Do not put a password into the arguments: everybody on this computer can see them.</source>
        <translation>Schreiben Sie kein Passwort in die Argumente: Jeder an diesem Computer kann sie sehen.</translation>
    </message>
    <message>
        <source>Nothing was sent.</source>
        <translation>Es wurde nichts gesendet.</translation>
    </message>
    <message>
        <source>Change that password, since others may have seen it, and give the new one on stdin or in {variable}.</source>
        <translation>Ändern Sie dieses Passwort, da andere es gesehen haben können, und geben Sie das neue über stdin oder in {variable} an.</translation>
    </message>
    <message>
        <source>{name} is not a certificate in PEM form.</source>
        <translation>{name} ist kein Zertifikat im PEM-Format.</translation>
    </message>
    <message>
        <source>{path}: {reason}.</source>
        <translation>{path}: {reason}.</translation>
    </message>
    <message>
        <source>Check the name of the file.</source>
        <translation>Prüfen Sie den Namen der Datei.</translation>
    </message>
    <message>
        <source>share a project with a workspace</source>
        <translation>ein Projekt mit einem Arbeitsbereich teilen</translation>
    </message>
    <message>
        <source>send waiting changes and fetch those of others</source>
        <translation>wartende Änderungen senden und die der anderen holen</translation>
    </message>
    <message>
        <source>Share “{project}” ({threads}, {messages}) with {workspace}? What is sent cannot be taken back from those who have read it.</source>
        <translation>„{project}“ ({threads}, {messages}) mit {workspace} teilen? Gesendetes lässt sich von denen, die es gelesen haben, nicht zurücknehmen.</translation>
    </message>
    <message>
        <source>“{name}” is the project into which new threads go: what you ask from now on without naming another project is shared, too.</source>
        <translation>In „{name}“ kommen neue Unterhaltungen: Was Sie ab jetzt fragen, ohne ein anderes Projekt zu nennen, wird auch geteilt.</translation>
    </message>
    <message>
        <source>“{project}” is shared with {workspace}.</source>
        <translation>„{project}“ ist mit {workspace} geteilt.</translation>
    </message>
    <message>
        <source>This is a private copy.</source>
        <translation>Das ist eine private Kopie.</translation>
    </message>
    <message>
        <source>is up to date</source>
        <translation>ist auf dem neuesten Stand</translation>
    </message>
    <message>
        <source>{state}, {count} refused (&apos;chatdesk team status&apos; lists them)</source>
        <translation>{state}, {count} abgelehnt (&apos;chatdesk team status&apos; listet sie auf)</translation>
    </message>
    <message>
        <source>{workspace}: {state}.</source>
        <translation>{workspace}: {state}.</translation>
    </message>
    <message>
        <source>The team has not got it yet: {problem} It waits here; &apos;chatdesk team sync&apos; sends it.</source>
        <translation>Das Team hat es noch nicht: {problem} Es wartet hier; &apos;chatdesk team sync&apos; sendet es.</translation>
    </message>
    <message>
        <source>The team has not got it yet. It waits here; &apos;chatdesk team sync&apos; sends it.</source>
        <translation>Das Team hat es noch nicht. Es wartet hier; &apos;chatdesk team sync&apos; sendet es.</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes wait here.</source>
        <comment>{count} change waits here.</comment>
        <translation>
            <numerusform>{count} Änderung wartet hier.</numerusform>
            <numerusform>{count} Änderungen warten hier.</numerusform>
        </translation>
    </message>
    <message>
        <source>&apos;chatdesk team sync&apos; continues.</source>
        <translation>&apos;chatdesk team sync&apos; macht weiter.</translation>
    </message>
    <message>
        <source>This project is not shared.</source>
        <translation>Dieses Projekt ist nicht geteilt.</translation>
    </message>
    <message>
        <source>list projects, or make one</source>
        <translation>Projekte auflisten oder eines anlegen</translation>
    </message>
    <message>
        <source>make a project and print its id</source>
        <translation>ein Projekt anlegen und seine Kennung ausgeben</translation>
    </message>
    <message>
        <source>name of the project</source>
        <translation>Name des Projekts</translation>
    </message>
    <message>
        <source>list threads, latest first</source>
        <translation>Unterhaltungen auflisten, die neueste zuerst</translation>
    </message>
    <message>
        <source>list archived threads</source>
        <translation>archivierte Unterhaltungen auflisten</translation>
    </message>
    <message>
        <source>list threads in the trash</source>
        <translation>Unterhaltungen im Papierkorb auflisten</translation>
    </message>
    <message>
        <source>list threads of this project</source>
        <translation>Unterhaltungen dieses Projekts auflisten</translation>
    </message>
    <message>
        <source>list threads with this tag</source>
        <translation>Unterhaltungen mit diesem Schlagwort auflisten</translation>
    </message>
    <message>
        <source>at most N threads (50)</source>
        <translation>höchstens N Unterhaltungen (50)</translation>
    </message>
    <message>
        <source>print a thread</source>
        <translation>eine Unterhaltung ausgeben</translation>
    </message>
    <message>
        <source>(archived)</source>
        <translation>(archiviert)</translation>
    </message>
    <message>
        <source>ChatDesk is open and keeps the projects.</source>
        <translation>ChatDesk ist offen und verwaltet die Projekte.</translation>
    </message>
    <message>
        <source>Make the project there, or close ChatDesk first.</source>
        <translation>Legen Sie das Projekt dort an, oder schließen Sie ChatDesk zuerst.</translation>
    </message>
    <message>
        <source>There is no tag “{tag}”.</source>
        <translation>Es gibt kein Schlagwort „{tag}“.</translation>
    </message>
    <message>
        <source>Check its name in the window.</source>
        <translation>Prüfen Sie den Namen im Fenster.</translation>
    </message>
    <message>
        <source>There are no threads here yet.</source>
        <translation>Hier gibt es noch keine Unterhaltungen.</translation>
    </message>
    <message>
        <source>“{wanted}” is not the beginning of a thread&apos;s id.</source>
        <translation>„{wanted}“ ist nicht der Anfang der Kennung einer Unterhaltung.</translation>
    </message>
    <message>
        <source>Give at least {count} of its characters; &apos;chatdesk threads&apos; lists them.</source>
        <translation>Geben Sie mindestens {count} Zeichen an; &apos;chatdesk threads&apos; listet sie auf.</translation>
    </message>
    <message>
        <source>No thread&apos;s id begins with {prefix}.</source>
        <translation>Keine Kennung einer Unterhaltung beginnt mit {prefix}.</translation>
    </message>
    <message>
        <source>&apos;chatdesk threads&apos; lists them.</source>
        <translation>&apos;chatdesk threads&apos; listet sie auf.</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads have ids that begin with {prefix}.</source>
        <comment>{count} thread has an id that begins with {prefix}.</comment>
        <translation>
            <numerusform>{count} Unterhaltung hat eine Kennung, die mit {prefix} beginnt.</numerusform>
            <numerusform>{count} Unterhaltungen haben Kennungen, die mit {prefix} beginnen.</numerusform>
        </translation>
    </message>
    <message>
        <source>Give more of the id.</source>
        <translation>Geben Sie mehr von der Kennung an.</translation>
    </message>
    <message>
        <source>it must be a whole number, at least 1</source>
        <translation>es muss eine ganze Zahl sein, mindestens 1</translation>
    </message>
    <message>
        <source>See &apos;chatdesk projects&apos;.</source>
        <translation>Siehe &apos;chatdesk projects&apos;.</translation>
    </message>
    <message numerus="yes">
        <source>{count} projects are called “{name}”: {projects}.</source>
        <comment>{count} project is called “{name}”: {projects}.</comment>
        <translation>
            <numerusform>{count} Projekt heißt „{name}“: {projects}.</numerusform>
            <numerusform>{count} Projekte heißen „{name}“: {projects}.</numerusform>
        </translation>
    </message>
    <message>
        <source>Give the id of one.</source>
        <translation>Geben Sie die Kennung von einem an.</translation>
    </message>
    <message>
        <source>No project is called “{name}”.</source>
        <translation>Kein Projekt heißt „{name}“.</translation>
    </message>
    <message>
        <source>No project that is shared is called “{name}”.</source>
        <translation>Kein geteiltes Projekt heißt „{name}“.</translation>
    </message>
    <message>
        <source>No project that is not shared yet is called “{name}”.</source>
        <translation>Kein noch nicht geteiltes Projekt heißt „{name}“.</translation>
    </message>
    <message>
        <source>switch a server on</source>
        <translation>einen Server einschalten</translation>
    </message>
    <message>
        <source>switch a server off</source>
        <translation>einen Server ausschalten</translation>
    </message>
    <message>
        <source>sign in to a server over HTTP, in your browser</source>
        <translation>sich bei einem Server über HTTP anmelden, im Browser</translation>
    </message>
    <message>
        <source>start servers and list their tools, step by step</source>
        <translation>Server starten und ihre Werkzeuge auflisten, Schritt für Schritt</translation>
    </message>
    <message>
        <source>environment variable whose value is kept in the keyring and given to the server; may be repeated</source>
        <translation>Umgebungsvariable, deren Wert im Schlüsselbund bleibt und dem Server gegeben wird; mehrfach möglich</translation>
    </message>
    <message>
        <source>remove a server</source>
        <translation>einen Server entfernen</translation>
    </message>
    <message>
        <source>sign out of a server</source>
        <translation>sich von einem Server abmelden</translation>
    </message>
    <message>
        <source>set up the servers whose tools models may use</source>
        <translation>die Server einrichten, deren Werkzeuge Modelle verwenden dürfen</translation>
    </message>
    <message>
        <source>list the servers, and whether they are on</source>
        <translation>die Server auflisten, und ob sie eingeschaltet sind</translation>
    </message>
    <message>
        <source>add a server; put options before its name</source>
        <translation>einen Server hinzufügen; Optionen stehen vor seinem Namen</translation>
    </message>
    <message>
        <source>name of the server</source>
        <translation>Name des Servers</translation>
    </message>
    <message>
        <source>program to run, with its arguments</source>
        <translation>Programm, das gestartet wird, mit seinen Argumenten</translation>
    </message>
    <message>
        <source>address of the server, if it is reached over HTTP</source>
        <translation>Adresse des Servers, wenn er über HTTP erreicht wird</translation>
    </message>
    <message>
        <source>id of the OAuth client that you registered for the address</source>
        <translation>Kennung des OAuth-Clients, den Sie für die Adresse registriert haben</translation>
    </message>
    <message>
        <source>environment variable that holds the client&apos;s secret</source>
        <translation>Umgebungsvariable mit dem Geheimnis des Clients</translation>
    </message>
    <message>
        <source>folder in which the program runs (by default an empty one)</source>
        <translation>Ordner, in dem das Programm läuft (sonst ein leerer)</translation>
    </message>
    <message>
        <source>add servers from the JSON settings of another program</source>
        <translation>Server aus den JSON-Einstellungen eines anderen Programms hinzufügen</translation>
    </message>
    <message>
        <source>file with the JSON; - reads it from stdin</source>
        <translation>Datei mit dem JSON; - liest es von stdin</translation>
    </message>
    <message>
        <source>id of the server (by default all that are on)</source>
        <translation>Kennung des Servers (sonst alle, die eingeschaltet sind)</translation>
    </message>
    <message>
        <source>id of the server</source>
        <translation>Kennung des Servers</translation>
    </message>
    <message>
        <source>list what tools may do without asking again</source>
        <translation>auflisten, was Werkzeuge ohne erneute Rückfrage dürfen</translation>
    </message>
    <message>
        <source>take back permissions of a server&apos;s tools</source>
        <translation>Berechtigungen der Werkzeuge eines Servers zurücknehmen</translation>
    </message>
    <message>
        <source>name of the tool (by default all tools of the server)</source>
        <translation>Name des Werkzeugs (sonst alle Werkzeuge des Servers)</translation>
    </message>
    <message>
        <source>show or set the folder in which tools work for a project</source>
        <translation>den Ordner zeigen oder festlegen, in dem Werkzeuge für ein Projekt arbeiten</translation>
    </message>
    <message>
        <source>folder to set; without it, the current one is shown</source>
        <translation>Ordner, der festgelegt wird; ohne ihn wird der jetzige angezeigt</translation>
    </message>
    <message>
        <source>remove the folder from the project</source>
        <translation>den Ordner vom Projekt entfernen</translation>
    </message>
    <message>
        <source>ChatDesk is open and keeps the tool servers.</source>
        <translation>ChatDesk ist offen und verwaltet die Werkzeugserver.</translation>
    </message>
    <message>
        <source>Change them in Settings, Tools, or close ChatDesk first.</source>
        <translation>Ändern Sie sie unter Einstellungen, Werkzeuge, oder schließen Sie ChatDesk zuerst.</translation>
    </message>
    <message>
        <source>on</source>
        <translation>an</translation>
    </message>
    <message>
        <source>off</source>
        <translation>aus</translation>
    </message>
    <message>
        <source>A server has either an address or a command.</source>
        <translation>Ein Server hat entweder eine Adresse oder einen Befehl.</translation>
    </message>
    <message>
        <source>Write: add --address URL NAME, or: add NAME COMMAND ARGUMENTS.</source>
        <translation>Schreiben Sie: add --address URL NAME, oder: add NAME BEFEHL ARGUMENTE.</translation>
    </message>
    <message>
        <source>The variable {first} is not set here.</source>
        <translation>Die Variable {first} ist hier nicht gesetzt.</translation>
    </message>
    <message>
        <source>{name}: {field} is still to be filled in.</source>
        <translation>{name}: {field} ist noch auszufüllen.</translation>
    </message>
    <message>
        <source>They are off until you switch them on: chatdesk tools on SERVER.</source>
        <translation>Sie sind aus, bis Sie sie einschalten: chatdesk tools on SERVER.</translation>
    </message>
    <message>
        <source>There was no such permission.</source>
        <translation>Eine solche Berechtigung gab es nicht.</translation>
    </message>
    <message>
        <source>ok</source>
        <translation>ok</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>fehlgeschlagen</translation>
    </message>
    <message>
        <source>Sign in to {name} in your browser. If no page opens, open this one:</source>
        <translation>Melden Sie sich in Ihrem Browser bei {name} an. Wenn keine Seite aufgeht, öffnen Sie diese:</translation>
    </message>
    <message>
        <source>Signed in.</source>
        <translation>Angemeldet.</translation>
    </message>
    <message>
        <source>{name} did not ask you to sign in.</source>
        <translation>{name} hat keine Anmeldung verlangt.</translation>
    </message>
    <message>
        <source>Signed out, here and at the server.</source>
        <translation>Abgemeldet, hier und beim Server.</translation>
    </message>
    <message>
        <source>Signed out on this computer. The server was not told, or cannot withdraw the sign-in.</source>
        <translation>Auf diesem Computer abgemeldet. Der Server wurde nicht benachrichtigt, oder er kann die Anmeldung nicht zurücknehmen.</translation>
    </message>
    <message>
        <source>There is no tool server “{name}”.</source>
        <translation>Es gibt keinen Werkzeugserver „{name}“.</translation>
    </message>
    <message>
        <source>See chatdesk tools list.</source>
        <translation>Siehe chatdesk tools list.</translation>
    </message>
    <message>
        <source>comes with ChatDesk</source>
        <translation>gehört zu ChatDesk</translation>
    </message>
    <message>
        <source>{place} could not be read.</source>
        <translation>{place} konnte nicht gelesen werden.</translation>
    </message>
    <message>
        <source>address of SearXNG</source>
        <translation>Adresse von SearXNG</translation>
    </message>
    <message>
        <source>The variable {key} is not set here.</source>
        <translation>Die Variable {key} ist hier nicht gesetzt.</translation>
    </message>
    <message>
        <source>show or set the search engine that models use for the web</source>
        <translation>die Suchmaschine zeigen oder festlegen, mit der Modelle im Web suchen</translation>
    </message>
    <message>
        <source>environment variable that holds the key</source>
        <translation>Umgebungsvariable mit dem Schlüssel</translation>
    </message>
    <message>
        <source>test the engine step by step; an ENGINE that is given is tested without being set</source>
        <translation>die Suchmaschine Schritt für Schritt testen; eine angegebene ENGINE wird getestet, ohne festgelegt zu werden</translation>
    </message>
    <message>
        <source>remove the stored key of the engine</source>
        <translation>den gespeicherten Schlüssel der Suchmaschine entfernen</translation>
    </message>
    <message>
        <source>print a JSON object, or with --test an array of its steps</source>
        <translation>ein JSON-Objekt ausgeben, mit --test ein Array der Schritte</translation>
    </message>
    <message>
        <source>Name the engine whose key should be removed.</source>
        <translation>Geben Sie die Suchmaschine an, deren Schlüssel entfernt werden soll.</translation>
    </message>
    <message>
        <source>with a key</source>
        <translation>mit einem Schlüssel</translation>
    </message>
    <message>
        <source>without a key</source>
        <translation>ohne Schlüssel</translation>
    </message>
    <message>
        <source>No search engine is chosen.</source>
        <translation>Es ist keine Suchmaschine gewählt.</translation>
    </message>
    <message>
        <source>Name one to test it.</source>
        <translation>Geben Sie eine an, um sie zu testen.</translation>
    </message>
    <message>
        <source>Left out: an answer has at most {most_in_message} pictures.</source>
        <translation>Weggelassen: Eine Antwort hat höchstens {most_in_message} Bilder.</translation>
    </message>
    <message>
        <source>Not kept: {reason}</source>
        <translation>Nicht aufbewahrt: {reason}</translation>
    </message>
    <message>
        <source>The pictures of this answer are larger than {most_bytes} MB together.</source>
        <translation>Die Bilder dieser Antwort sind zusammen größer als {most_bytes} MB.</translation>
    </message>
    <message>
        <source>It is not a picture that can be shown.</source>
        <translation>Es ist kein Bild, das angezeigt werden kann.</translation>
    </message>
    <message>
        <source>The picture is damaged.</source>
        <translation>Das Bild ist beschädigt.</translation>
    </message>
    <message>
        <source>The picture is empty.</source>
        <translation>Das Bild ist leer.</translation>
    </message>
    <message>
        <source>Remove some and send them with the next message, or raise the limit in Settings, Usage and limits.</source>
        <translation>Entfernen Sie einige und senden Sie sie mit der nächsten Nachricht, oder erhöhen Sie das Limit unter Einstellungen, Nutzung und Limits.</translation>
    </message>
    <message>
        <source>Choose another file, or change the kinds in Settings, Usage and limits.</source>
        <translation>Wählen Sie eine andere Datei, oder ändern Sie die Arten unter Einstellungen, Nutzung und Limits.</translation>
    </message>
    <message>
        <source>Your text and the attachments are kept.</source>
        <translation>Ihr Text und die Anhänge bleiben erhalten.</translation>
    </message>
    <message>
        <source>“{name}” is of a kind that may not be attached: {mime}.</source>
        <translation>„{name}“ ist von einer Art, die nicht angehängt werden darf: {mime}.</translation>
    </message>
    <message>
        <source>A message can have at most {number} files; there are {attachments}.</source>
        <translation>Eine Nachricht darf höchstens {number} Dateien haben; es sind {attachments}.</translation>
    </message>
    <message>
        <source>The files of one message can have at most {limit} together; these have {total}.</source>
        <translation>Die Dateien einer Nachricht dürfen zusammen höchstens {limit} groß sein; diese sind {total} groß.</translation>
    </message>
    <message>
        <source>With “{name}”, the files attached today would have {total}; the limit for a day is {limit}.</source>
        <translation>Mit „{name}“ wären die heute angehängten Dateien {total} groß; das Limit für einen Tag ist {limit}.</translation>
    </message>
    <message>
        <source>Your text and the other attachments are kept.</source>
        <translation>Ihr Text und die anderen Anhänge bleiben erhalten.</translation>
    </message>
    <message>
        <source>Attach it tomorrow, or raise the limit in Settings, Usage and limits.</source>
        <translation>Hängen Sie sie morgen an, oder erhöhen Sie das Limit unter Einstellungen, Nutzung und Limits.</translation>
    </message>
    <message>
        <source>A message can have {number} files; {number_2} were left out.</source>
        <translation>Eine Nachricht kann {number} Dateien haben; {number_2} wurden weggelassen.</translation>
    </message>
    <message>
        <source>The attached file is no longer there.</source>
        <translation>Die angehängte Datei ist nicht mehr da.</translation>
    </message>
    <message>
        <source>The attached file is larger than it was.</source>
        <translation>Die angehängte Datei ist größer, als sie war.</translation>
    </message>
    <message>
        <source>That is not the checksum of a file.</source>
        <translation>Das ist keine Prüfsumme einer Datei.</translation>
    </message>
    <message>
        <source>The file could not be stored with your messages: {reason}.</source>
        <translation>Die Datei konnte nicht bei Ihren Nachrichten gespeichert werden: {reason}.</translation>
    </message>
    <message>
        <source>Make room on the disk or choose another data directory, then attach it again.</source>
        <translation>Schaffen Sie Platz auf dem Datenträger oder wählen Sie ein anderes Datenverzeichnis, dann hängen Sie sie erneut an.</translation>
    </message>
    <message>
        <source>It needs too much time or memory to be read.</source>
        <translation>Das Lesen braucht zu viel Zeit oder Speicher.</translation>
    </message>
    <message>
        <source>It is damaged.</source>
        <translation>Es ist beschädigt.</translation>
    </message>
    <message>
        <source>It has more than {most_pixels} million pixels.</source>
        <translation>Es hat mehr als {most_pixels} Millionen Pixel.</translation>
    </message>
    <message>
        <source>It is damaged, or not an image that can be shown.</source>
        <translation>Es ist beschädigt oder kein Bild, das angezeigt werden kann.</translation>
    </message>
    <message>
        <source>“{name}” is empty.</source>
        <translation>„{name}“ ist leer.</translation>
    </message>
    <message>
        <source>Attach a file that is not empty.</source>
        <translation>Hängen Sie eine Datei an, die nicht leer ist.</translation>
    </message>
    <message>
        <source>The image “{name}” cannot be attached. {reason}</source>
        <translation>Das Bild „{name}“ kann nicht angehängt werden. {reason}</translation>
    </message>
    <message>
        <source>Save it again with a drawing program, smaller if need be, and attach that.</source>
        <translation>Speichern Sie es mit einem Zeichenprogramm neu, notfalls kleiner, und hängen Sie das an.</translation>
    </message>
    <message>
        <source>“{name}” is not there.</source>
        <translation>„{name}“ wurde nicht gefunden.</translation>
    </message>
    <message>
        <source>“{name}” is not a file that can be read.</source>
        <translation>„{name}“ ist keine Datei, die gelesen werden kann.</translation>
    </message>
    <message>
        <source>“{name}” is a folder.</source>
        <translation>„{name}“ ist ein Ordner.</translation>
    </message>
    <message>
        <source>Attach the files in it.</source>
        <translation>Hängen Sie die Dateien darin an.</translation>
    </message>
    <message>
        <source>its name or place is not valid</source>
        <translation>der Name oder der Speicherort ist ungültig</translation>
    </message>
    <message>
        <source>“{name}” cannot be read: {reason}.</source>
        <translation>„{name}“ kann nicht gelesen werden: {reason}.</translation>
    </message>
    <message>
        <source>Check the file, then attach it again.</source>
        <translation>Prüfen Sie die Datei und hängen Sie sie dann erneut an.</translation>
    </message>
    <message>
        <source>It needs too much memory.</source>
        <translation>Es braucht zu viel Speicher.</translation>
    </message>
    <message>
        <source>It is damaged and cannot be read.</source>
        <translation>Sie ist beschädigt und kann nicht gelesen werden.</translation>
    </message>
    <message>
        <source>What {who} has there is not an image that can be shown.</source>
        <translation>Was {who} unter dieser Adresse hat, ist kein Bild, das angezeigt werden kann.</translation>
    </message>
    <message>
        <source>The image could not be loaded.</source>
        <translation>Das Bild konnte nicht geladen werden.</translation>
    </message>
    <message>
        <source>The image is on another server: {host}.</source>
        <translation>Das Bild liegt auf einem anderen Server: {host}.</translation>
    </message>
    <message>
        <source>{host} is in your own network.</source>
        <translation>{host} liegt in Ihrem eigenen Netz.</translation>
    </message>
    <message>
        <source>Shown by ChatDesk, once. Scripts and links are off; nothing is loaded or sent.</source>
        <translation>Von ChatDesk einmalig angezeigt. Skripte und Links sind aus; nichts wird geladen oder gesendet.</translation>
    </message>
    <message>
        <source>This page is empty.</source>
        <translation>Diese Seite ist leer.</translation>
    </message>
    <message>
        <source>Nothing was opened.</source>
        <translation>Es wurde nichts geöffnet.</translation>
    </message>
    <message>
        <source>This page is larger than {most_bytes} MB.</source>
        <translation>Diese Seite ist größer als {most_bytes} MB.</translation>
    </message>
    <message>
        <source>Save it as a file instead.</source>
        <translation>Speichern Sie sie stattdessen als Datei.</translation>
    </message>
    <message>
        <source>Files of this kind have no text that can be read.</source>
        <translation>Dateien dieser Art enthalten keinen lesbaren Text.</translation>
    </message>
    <message>
        <source>There is no text in it.</source>
        <translation>Sie enthält keinen Text.</translation>
    </message>
    <message>
        <source>A program for text recognition, such as OCRmyPDF, makes a copy of it that can be read.</source>
        <translation>Ein Programm zur Texterkennung, etwa OCRmyPDF, erstellt davon eine lesbare Kopie.</translation>
    </message>
    <message>
        <source>It is long; its first {cut} characters are read.</source>
        <translation>Sie ist lang; ihre ersten {cut} Zeichen werden gelesen.</translation>
    </message>
    <message>
        <source>It does not say how its characters are encoded. Read as {encoding}: “{sample}”.</source>
        <translation>Die Datei sagt nicht, wie ihre Zeichen kodiert sind. Gelesen als {encoding}: „{sample}“.</translation>
    </message>
    <message>
        <source>It is protected by a password.</source>
        <translation>Sie ist mit einem Passwort geschützt.</translation>
    </message>
    <message>
        <source>No text can be read from it; it may hold scanned pages.</source>
        <translation>Daraus kann kein Text gelesen werden; vielleicht enthält sie eingescannte Seiten.</translation>
    </message>
    <message>
        <source>It is long; {read} of its {total} pages are read.</source>
        <translation>Sie ist lang; {read} von {total} Seiten werden gelesen.</translation>
    </message>
    <message>
        <source>{damaged} of its {total} pages cannot be read.</source>
        <translation>{damaged} von {total} Seiten können nicht gelesen werden.</translation>
    </message>
    <message>
        <source>{scanned} of its {total} pages are pictures.</source>
        <translation>{scanned} von {total} Seiten sind Bilder.</translation>
    </message>
    <message>
        <source>The virus scanner found something in the file.</source>
        <translation>Der Virenscanner hat etwas in der Datei gefunden.</translation>
    </message>
    <message>
        <source>The file was kept out; your text and the other attachments are kept.</source>
        <translation>Die Datei wurde nicht übernommen; Ihr Text und die anderen Anhänge bleiben erhalten.</translation>
    </message>
    <message>
        <source>Do not open the file. If you trust it, ask whoever looks after the scanner.</source>
        <translation>Öffnen Sie die Datei nicht. Wenn Sie ihr vertrauen, fragen Sie die Person, die den Scanner betreut.</translation>
    </message>
    <message>
        <source>The virus scanner does not answer, so the file was kept out.</source>
        <translation>Der Virenscanner antwortet nicht, deshalb wurde die Datei nicht übernommen.</translation>
    </message>
    <message>
        <source>Start the scanner, or change the scanner or what happens without it in Settings, Data and backup.</source>
        <translation>Starten Sie den Scanner, oder ändern Sie ihn oder das Verhalten ohne ihn unter Einstellungen, Daten und Sicherung.</translation>
    </message>
    <message>
        <source>Nothing was sent there. The file was kept out; your text and the other attachments are kept.</source>
        <translation>Dorthin wurde nichts gesendet. Die Datei wurde nicht übernommen; Ihr Text und die anderen Anhänge bleiben erhalten.</translation>
    </message>
    <message>
        <source>Enter the scanner anew in Settings, Data and backup, or set {variable} to its address.</source>
        <translation>Geben Sie den Scanner unter Einstellungen, Daten und Sicherung neu ein, oder setzen Sie {variable} auf seine Adresse.</translation>
    </message>
    <message>
        <source>The settings in this data directory, which may be somebody else&apos;s, name a virus scanner on another computer: {address}.</source>
        <translation>Die Einstellungen in diesem Datenverzeichnis, das jemand anderem gehören kann, nennen einen Virenscanner auf einem anderen Computer: {address}.</translation>
    </message>
    <message>
        <source>The virus scanner found “{found}” in the file.</source>
        <translation>Der Virenscanner hat „{found}“ in der Datei gefunden.</translation>
    </message>
    <message>
        <source>This is not the address of a web page.</source>
        <translation>Das ist keine Adresse einer Webseite.</translation>
    </message>
    <message>
        <source>Nothing was fetched.</source>
        <translation>Es wurde nichts abgerufen.</translation>
    </message>
    <message>
        <source>There is a file of the type {mime} there.</source>
        <translation>Dort ist eine Datei vom Typ {mime}.</translation>
    </message>
    <message>
        <source>ChatDesk is closing.</source>
        <translation>ChatDesk wird geschlossen.</translation>
    </message>
    <message>
        <source>This message has no text that could be opened as an artifact.</source>
        <translation>Diese Nachricht hat keinen Text, der sich als Artefakt öffnen lässt.</translation>
    </message>
    <message>
        <source>The version is unchanged.</source>
        <translation>Die Version ist unverändert.</translation>
    </message>
    <message>
        <source>This kind of file is not shown here. Save it, or open it with another program.</source>
        <translation>Diese Art von Datei wird hier nicht angezeigt. Speichern Sie sie, oder öffnen Sie sie mit einem anderen Programm.</translation>
    </message>
    <message>
        <source>The file is too large to be shown here. Save it, or open it with another program.</source>
        <translation>Die Datei ist zu groß, um hier angezeigt zu werden. Speichern Sie sie, oder öffnen Sie sie mit einem anderen Programm.</translation>
    </message>
    <message>
        <source>These versions are too large to be compared here.</source>
        <translation>Diese Versionen sind zu groß, um hier verglichen zu werden.</translation>
    </message>
    <message>
        <source>Save both to compare.</source>
        <translation>Speichern Sie beide zum Vergleichen.</translation>
    </message>
    <message>
        <source>Nothing can be opened or edited here, because nothing can be written.</source>
        <translation>Hier kann nichts geöffnet oder bearbeitet werden, weil nichts geschrieben werden kann.</translation>
    </message>
    <message>
        <source>The message has {size_bytes} bytes; the limit is {most_bytes} bytes.</source>
        <translation>Die Nachricht hat {size_bytes} Bytes; erlaubt sind {most_bytes} Bytes.</translation>
    </message>
    <message>
        <source>The copying was stopped.</source>
        <translation>Das Kopieren wurde angehalten.</translation>
    </message>
    <message>
        <source>Nothing can be attached here, because nothing can be written.</source>
        <translation>Hier kann nichts angehängt werden, weil nichts geschrieben werden kann.</translation>
    </message>
    <message>
        <source>ChatDesk was closing.</source>
        <translation>ChatDesk wurde gerade geschlossen.</translation>
    </message>
    <message>
        <source>The file is no longer there.</source>
        <translation>Die Datei ist nicht mehr da.</translation>
    </message>
    <message>
        <source>The page cannot be handed to your browser: {strerror}.</source>
        <translation>Die Seite kann nicht an Ihren Browser übergeben werden: {strerror}.</translation>
    </message>
    <message>
        <source>The attached file or the folder is no longer there.</source>
        <translation>Die angehängte Datei oder der Ordner ist nicht mehr da.</translation>
    </message>
    <message>
        <source>Choose another place.</source>
        <translation>Wählen Sie einen anderen Ort.</translation>
    </message>
    <message>
        <source>The file could not be written: {strerror}.</source>
        <translation>Die Datei konnte nicht geschrieben werden: {strerror}.</translation>
    </message>
    <message>
        <source>The attached file is unchanged.</source>
        <translation>Die angehängte Datei ist unverändert.</translation>
    </message>
    <message>
        <source>A page holds 1 to {largest_page} rows.</source>
        <translation>Eine Seite enthält 1 bis {largest_page} Zeilen.</translation>
    </message>
    <message>
        <source>Summaries cannot be made here.</source>
        <translation>Hier können keine Zusammenfassungen erstellt werden.</translation>
    </message>
    <message>
        <source>A summary needs some text.</source>
        <translation>Eine Zusammenfassung braucht etwas Text.</translation>
    </message>
    <message>
        <source>The old one is kept.</source>
        <translation>Die alte bleibt erhalten.</translation>
    </message>
    <message>
        <source>Or switch it off.</source>
        <translation>Oder schalten Sie sie aus.</translation>
    </message>
    <message>
        <source>There may be {most_facts} facts of at most {longest_fact} characters.</source>
        <translation>Möglich sind {most_facts} Fakten mit je höchstens {longest_fact} Zeichen.</translation>
    </message>
    <message>
        <source>The old ones are kept.</source>
        <translation>Die alten bleiben erhalten.</translation>
    </message>
    <message>
        <source>{label} takes no {lacking} from other programs.</source>
        <translation>{label} nimmt keine {lacking} von anderen Programmen an.</translation>
    </message>
    <message>
        <source>Choose a provider that speaks chat completions.</source>
        <translation>Wählen Sie einen Anbieter, der Chat Completions unterstützt.</translation>
    </message>
    <message>
        <source>A draft cannot be empty.</source>
        <translation>Ein Entwurf darf nicht leer sein.</translation>
    </message>
    <message>
        <source>The thread has another draft, which a person may be writing.</source>
        <translation>Die Unterhaltung hat einen anderen Entwurf, an dem vielleicht jemand schreibt.</translation>
    </message>
    <message>
        <source>It was not changed.</source>
        <translation>Er wurde nicht geändert.</translation>
    </message>
    <message>
        <source>Write the draft into a new thread.</source>
        <translation>Schreiben Sie den Entwurf in eine neue Unterhaltung.</translation>
    </message>
    <message>
        <source>A page holds 1 to {largest_page} rows, not {limit}.</source>
        <translation>Eine Seite enthält 1 bis {largest_page} Zeilen, nicht {limit}.</translation>
    </message>
    <message numerus="yes">
        <source>pin {count} threads</source>
        <comment>pin thread</comment>
        <translation>
            <numerusform>Unterhaltung anheften</numerusform>
            <numerusform>{count} Unterhaltungen anheften</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>unpin {count} threads</source>
        <comment>unpin thread</comment>
        <translation>
            <numerusform>Unterhaltung lösen</numerusform>
            <numerusform>{count} Unterhaltungen lösen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>archive {count} threads</source>
        <comment>archive thread</comment>
        <translation>
            <numerusform>Unterhaltung archivieren</numerusform>
            <numerusform>{count} Unterhaltungen archivieren</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>unarchive {count} threads</source>
        <comment>unarchive thread</comment>
        <translation>
            <numerusform>Unterhaltung aus dem Archiv holen</numerusform>
            <numerusform>{count} Unterhaltungen aus dem Archiv holen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>move {count} threads</source>
        <comment>move thread</comment>
        <translation>
            <numerusform>Unterhaltung verschieben</numerusform>
            <numerusform>{count} Unterhaltungen verschieben</numerusform>
        </translation>
    </message>
    <message>
        <source>That is no note.</source>
        <translation>Das ist keine Notiz.</translation>
    </message>
    <message>
        <source>The files of the assistants are larger than {most_file_bytes} MB together.</source>
        <translation>Die Dateien der Assistenten sind zusammen größer als {most_file_bytes} MB.</translation>
    </message>
    <message>
        <source>The prompts are unchanged.</source>
        <translation>Die Prompts sind unverändert.</translation>
    </message>
    <message>
        <source>Take large files out of the assistants, and attach them to a message instead.</source>
        <translation>Nehmen Sie große Dateien aus den Assistenten heraus und hängen Sie sie stattdessen an eine Nachricht an.</translation>
    </message>
    <message>
        <source>The file could not be read: {strerror}.</source>
        <translation>Die Datei konnte nicht gelesen werden: {strerror}.</translation>
    </message>
    <message>
        <source>The file is larger than {largest_file_bytes} MB.</source>
        <translation>Die Datei ist größer als {largest_file_bytes} MB.</translation>
    </message>
    <message>
        <source>The file is no JSON.</source>
        <translation>Die Datei ist kein JSON.</translation>
    </message>
    <message>
        <source>The file contains no prompts of ChatDesk.</source>
        <translation>Die Datei enthält keine Prompts von ChatDesk.</translation>
    </message>
    <message>
        <source>The file contains no list of prompts, or more than {most_prompts}.</source>
        <translation>Die Datei enthält keine Liste von Prompts oder mehr als {most_prompts}.</translation>
    </message>
    <message>
        <source>The file was written by a newer ChatDesk.</source>
        <translation>Die Datei stammt aus einer neueren ChatDesk-Version.</translation>
    </message>
    <message>
        <source>Prompt {number} in the file is not one: it needs a kind, a name and a text that is not too long.</source>
        <translation>Prompt {number} in der Datei ist keiner: Er braucht eine Art, einen Namen und einen nicht zu langen Text.</translation>
    </message>
    <message>
        <source>Prompt {number} in the file has no list of files, or too many.</source>
        <translation>Prompt {number} in der Datei hat keine Dateiliste oder zu viele Dateien.</translation>
    </message>
    <message>
        <source>A file of prompt {number} in the file cannot be read.</source>
        <translation>Eine Datei von Prompt {number} in der Datei kann nicht gelesen werden.</translation>
    </message>
    <message>
        <source>Nothing was added.</source>
        <translation>Es wurde nichts hinzugefügt.</translation>
    </message>
    <message>
        <source>Choose a file that was exported from Prompts.</source>
        <translation>Wählen Sie eine Datei, die aus den Prompts exportiert wurde.</translation>
    </message>
    <message>
        <source>A prompt needs a text.</source>
        <translation>Ein Prompt braucht einen Text.</translation>
    </message>
    <message>
        <source>Type what it is to say, or delete it.</source>
        <translation>Schreiben Sie, was er sagen soll, oder löschen Sie ihn.</translation>
    </message>
    <message>
        <source>The prompt has {text} characters; the most is {longest_text}.</source>
        <translation>Der Prompt hat {text} Zeichen; höchstens {longest_text} sind möglich.</translation>
    </message>
    <message>
        <source>Shorten it, or keep the text in a file and attach that.</source>
        <translation>Kürzen Sie ihn, oder legen Sie den Text in eine Datei und hängen Sie diese an.</translation>
    </message>
    <message>
        <source>Your limit of messages is reached.</source>
        <translation>Ihr Limit für Nachrichten ist erreicht.</translation>
    </message>
    <message>
        <source>Your limit of messages to this provider is reached.</source>
        <translation>Ihr Limit für Nachrichten an diesen Anbieter ist erreicht.</translation>
    </message>
    <message>
        <source>Your limit of messages in this project is reached.</source>
        <translation>Ihr Limit für Nachrichten in diesem Projekt ist erreicht.</translation>
    </message>
    <message>
        <source>The provider takes no more requests for now.</source>
        <translation>Der Anbieter nimmt vorerst keine Anfragen mehr an.</translation>
    </message>
    <message>
        <source>Ask again later.</source>
        <translation>Fragen Sie später noch einmal.</translation>
    </message>
    <message>
        <source>This message is no longer waiting.</source>
        <translation>Diese Nachricht wartet nicht mehr.</translation>
    </message>
    <message>
        <source>Between 2 and {most_in_thread} models can be compared.</source>
        <translation>Zwischen 2 und {most_in_thread} Modelle können verglichen werden.</translation>
    </message>
    <message>
        <source>Only questions can be edited here.</source>
        <translation>Hier können nur Fragen bearbeitet werden.</translation>
    </message>
    <message>
        <source>Regenerate the answer instead.</source>
        <translation>Erzeugen Sie stattdessen die Antwort neu.</translation>
    </message>
    <message>
        <source>There is no question to answer here.</source>
        <translation>Hier gibt es keine Frage zu beantworten.</translation>
    </message>
    <message>
        <source>This answer is already complete.</source>
        <translation>Diese Antwort ist schon vollständig.</translation>
    </message>
    <message>
        <source>Regenerate it for another version.</source>
        <translation>Erzeugen Sie sie neu für eine andere Version.</translation>
    </message>
    <message>
        <source>The system prompt has {text} characters; the most is {longest_text}.</source>
        <translation>Der Systemprompt hat {text} Zeichen; höchstens {longest_text} sind möglich.</translation>
    </message>
    <message>
        <source>Shorten it.</source>
        <translation>Kürzen Sie ihn.</translation>
    </message>
    <message>
        <source>There is a temporary chat already.</source>
        <translation>Es gibt schon einen temporären Chat.</translation>
    </message>
    <message>
        <source>Keep it or close it first.</source>
        <translation>Behalten oder schließen Sie ihn zuerst.</translation>
    </message>
    <message>
        <source>There is no temporary chat.</source>
        <translation>Es gibt keinen temporären Chat.</translation>
    </message>
    <message>
        <source>This chat was just kept.</source>
        <translation>Dieser Chat wurde gerade behalten.</translation>
    </message>
    <message>
        <source>What you wrote is still there.</source>
        <translation>Was Sie geschrieben haben, ist noch da.</translation>
    </message>
    <message>
        <source>An answer is still being written, so this chat was not kept yet.</source>
        <translation>Eine Antwort wird noch geschrieben, deshalb wurde dieser Chat noch nicht behalten.</translation>
    </message>
    <message>
        <source>Wait for its end, or stop it, and keep the chat then.</source>
        <translation>Warten Sie auf ihr Ende, oder halten Sie sie an, und behalten Sie den Chat dann.</translation>
    </message>
    <message>
        <source>The tool does not take these arguments.</source>
        <translation>Das Werkzeug nimmt diese Argumente nicht an.</translation>
    </message>
    <message>
        <source>Nothing was run.</source>
        <translation>Es wurde nichts ausgeführt.</translation>
    </message>
    <message>
        <source>Change them, or deny the call.</source>
        <translation>Ändern Sie sie, oder lehnen Sie den Aufruf ab.</translation>
    </message>
    <message>
        <source>This call is no longer waiting for an answer.</source>
        <translation>Dieser Aufruf wartet nicht mehr auf eine Antwort.</translation>
    </message>
    <message>
        <source>The server is no longer waiting for this.</source>
        <translation>Der Server wartet nicht mehr darauf.</translation>
    </message>
    <message>
        <source>This answer is not offered for this call.</source>
        <translation>Diese Antwort gibt es für diesen Aufruf nicht.</translation>
    </message>
    <message>
        <source>“{name}” is missing.</source>
        <translation>„{name}“ fehlt.</translation>
    </message>
    <message>
        <source>There is no “{name}”.</source>
        <translation>Es gibt kein „{name}“.</translation>
    </message>
    <message>
        <source>“{name}” is not of the type {map}.</source>
        <translation>„{name}“ ist nicht vom Typ {map}.</translation>
    </message>
    <message>
        <source>The person did not allow this call. Do not try it again in another way; go on without it, or ask them.</source>
        <translation>Dieser Aufruf wurde nicht erlaubt. Versuche ihn nicht auf anderem Weg; mache ohne ihn weiter oder frage nach.</translation>
    </message>
    <message>
        <source>There is no tool with this name.</source>
        <translation>Es gibt kein Werkzeug mit diesem Namen.</translation>
    </message>
    <message>
        <source>The arguments are not valid JSON, so the tool was not run. Write them again.</source>
        <translation>Die Argumente sind kein gültiges JSON, deshalb wurde das Werkzeug nicht ausgeführt. Schreibe sie neu.</translation>
    </message>
    <message>
        <source>No arguments came with this call, so the tool was not run. Write them again.</source>
        <translation>Mit diesem Aufruf kamen keine Argumente; deshalb wurde das Werkzeug nicht ausgeführt. Schreibe sie noch einmal.</translation>
    </message>
    <message>
        <source>The answer was cut off while this call was written, so the tool was not run.</source>
        <translation>Die Antwort brach ab, während dieser Aufruf geschrieben wurde, deshalb wurde das Werkzeug nicht ausgeführt.</translation>
    </message>
    <message>
        <source>The limit of this answer was reached, so the tool was not run.</source>
        <translation>Das Limit dieser Antwort war erreicht, deshalb wurde das Werkzeug nicht ausgeführt.</translation>
    </message>
    <message>
        <source>Too many tools were called at once, so this one was not run. Call fewer.</source>
        <translation>Zu viele Werkzeuge wurden auf einmal aufgerufen, deshalb wurde dieses nicht ausgeführt. Rufe weniger auf.</translation>
    </message>
    <message>
        <source>“{tool}” is left out of this answer: {provider} refuses its description.</source>
        <translation>„{tool}“ fehlt in dieser Antwort: {provider} lehnt die Beschreibung ab.</translation>
    </message>
    <message>
        <source>No further tools can be called for this answer. Answer with what you have.</source>
        <translation>Für diese Antwort können keine weiteren Werkzeuge aufgerufen werden. Antworte mit dem, was da ist.</translation>
    </message>
    <message>
        <source>“{tool}” is left out: its arguments are described in a form that no request can have.</source>
        <translation>„{tool}“ fehlt: Die Argumente sind in einer Form beschrieben, die keine Anfrage haben kann.</translation>
    </message>
    <message>
        <source>Something unexpected happened in ChatDesk while this tool ran. Nobody knows what it did.</source>
        <translation>In ChatDesk geschah etwas Unerwartetes, während dieses Werkzeug lief. Niemand weiß, was es getan hat.</translation>
    </message>
    <message>
        <source>ChatDesk ended while this ran, so nobody knows what it did. The person does not want it to be run again.</source>
        <translation>ChatDesk wurde beendet, während dies lief; niemand weiß, was es getan hat. Es soll nicht noch einmal ausgeführt werden.</translation>
    </message>
    <message>
        <source>ChatDesk ended while this ran. It may have done its work already.</source>
        <translation>ChatDesk wurde beendet, während dies lief. Es hat seine Arbeit vielleicht schon getan.</translation>
    </message>
    <message>
        <source>This thread has text from outside, such as a tool&apos;s result, a file, an import or a teammate&apos;s words, which may have asked for this.</source>
        <translation>Diese Unterhaltung enthält Text von außen, etwa das Ergebnis eines Werkzeugs, eine Datei, einen Import oder die Worte eines Teammitglieds, der dies verlangt haben könnte.</translation>
    </message>
    <message numerus="yes">
        <source>{count} tools can be called: about {tokens} tokens with each request.</source>
        <comment>{count} tool can be called: about {tokens} tokens with each request.</comment>
        <translation>
            <numerusform>{count} Werkzeug kann aufgerufen werden: etwa {tokens} Token mit jeder Anfrage.</numerusform>
            <numerusform>{count} Werkzeuge können aufgerufen werden: etwa {tokens} Token mit jeder Anfrage.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{words} {count} tool servers not started yet.</source>
        <comment>{words} {count} tool server not started yet.</comment>
        <translation>
            <numerusform>{words} {count} Werkzeugserver ist noch nicht gestartet.</numerusform>
            <numerusform>{words} {count} Werkzeugserver sind noch nicht gestartet.</numerusform>
        </translation>
    </message>
    <message>
        <source>pin into the context</source>
        <translation>im Kontext festhalten</translation>
    </message>
    <message>
        <source>exclude from the context</source>
        <translation>aus dem Kontext nehmen</translation>
    </message>
    <message>
        <source>unpin from the context</source>
        <translation>im Kontext nicht mehr festhalten</translation>
    </message>
    <message>
        <source>include in the context</source>
        <translation>in den Kontext aufnehmen</translation>
    </message>
    <message>
        <source>pin the passage</source>
        <translation>die Stelle festhalten</translation>
    </message>
    <message>
        <source>leave out the passage</source>
        <translation>die Stelle weglassen</translation>
    </message>
    <message>
        <source>unpin the passage</source>
        <translation>die Stelle nicht mehr festhalten</translation>
    </message>
    <message>
        <source>no longer leave out the passage</source>
        <translation>die Stelle nicht mehr weglassen</translation>
    </message>
    <message>
        <source>rename thread</source>
        <translation>Unterhaltung umbenennen</translation>
    </message>
    <message numerus="yes">
        <source>delete messages</source>
        <comment>delete message</comment>
        <translation>
            <numerusform>Nachricht löschen</numerusform>
            <numerusform>Nachrichten löschen</numerusform>
        </translation>
    </message>
    <message>
        <source>restore message</source>
        <translation>Nachricht wiederherstellen</translation>
    </message>
    <message>
        <source>switch version</source>
        <translation>Version wechseln</translation>
    </message>
    <message>
        <source>edit</source>
        <translation>bearbeiten</translation>
    </message>
    <message>
        <source>start of the context</source>
        <translation>Anfang des Kontexts</translation>
    </message>
    <message>
        <source>add note</source>
        <translation>Notiz hinzufügen</translation>
    </message>
    <message>
        <source>ask a question</source>
        <translation>eine Frage stellen</translation>
    </message>
    <message>
        <source>ask for an answer</source>
        <translation>eine Antwort anfordern</translation>
    </message>
    <message>
        <source>The message has about {scaled} tokens; the model reads {window} at once and {reserved} of them are kept for the answer.</source>
        <translation>Die Nachricht hat etwa {scaled} Token; das Modell liest {window} auf einmal, und {reserved} davon sind für die Antwort vorgesehen.</translation>
    </message>
    <message>
        <source>The system prompt has about {scaled} tokens and leaves no room for the message: the model reads {window} at once and {reserved} of them are kept for the answer.</source>
        <translation>Der Systemprompt hat etwa {scaled} Token und lässt keinen Platz für die Nachricht: Das Modell liest {window} auf einmal, und {reserved} davon sind für die Antwort vorgesehen.</translation>
    </message>
    <message>
        <source>ChatDesk made a mistake while it summarised.</source>
        <translation>ChatDesk hat beim Zusammenfassen einen Fehler gemacht.</translation>
    </message>
    <message>
        <source>The report could not be written to {target}: {reason}.</source>
        <translation>Der Bericht konnte nicht nach {target} geschrieben werden: {reason}.</translation>
    </message>
    <message>
        <source>Nothing half-written was left.</source>
        <translation>Es blieb nichts Halbfertiges zurück.</translation>
    </message>
    <message>
        <source>ChatDesk ended unexpectedly.</source>
        <translation>ChatDesk wurde unerwartet beendet.</translation>
    </message>
    <message>
        <source>note</source>
        <comment>finding</comment>
        <translation>Hinweis</translation>
    </message>
    <message>
        <source>problem</source>
        <translation>Problem</translation>
    </message>
    <message>
        <source>No answer within {timeout_s} s.</source>
        <translation>Keine Antwort innerhalb von {timeout_s} s.</translation>
    </message>
    <message>
        <source>The check itself failed ({name}).</source>
        <translation>Die Prüfung selbst schlug fehl ({name}).</translation>
    </message>
    <message>
        <source>versions</source>
        <translation>Versionen</translation>
    </message>
    <message>
        <source>ChatDesk {version}, Python {python}</source>
        <translation>ChatDesk {version}, Python {python}</translation>
    </message>
    <message>
        <source>data directory</source>
        <translation>Datenverzeichnis</translation>
    </message>
    <message>
        <source>settings directory</source>
        <translation>Verzeichnis der Einstellungen</translation>
    </message>
    <message>
        <source>logs directory</source>
        <translation>Verzeichnis der Protokolle</translation>
    </message>
    <message>
        <source>backups directory</source>
        <translation>Verzeichnis der Sicherungen</translation>
    </message>
    <message>
        <source>{path} is not a directory.</source>
        <translation>{path} ist kein Verzeichnis.</translation>
    </message>
    <message>
        <source>{path} (made when it is needed)</source>
        <translation>{path} (wird angelegt, wenn es gebraucht wird)</translation>
    </message>
    <message>
        <source>{path} cannot be written to. Check its owner and permissions.</source>
        <translation>In {path} kann nicht geschrieben werden. Prüfen Sie Eigentümer und Rechte.</translation>
    </message>
    <message>
        <source>Others can look into {path}. Run: chmod 700 {path}</source>
        <translation>Andere können in {path} hineinsehen. Führen Sie aus: chmod 700 {path}</translation>
    </message>
    <message>
        <source>Only {free_bytes} MB are free. Free some space soon.</source>
        <translation>Nur {free_bytes} MB sind frei. Schaffen Sie bald Platz.</translation>
    </message>
    <message>
        <source>{free_bytes} MB free</source>
        <translation>{free_bytes} MB frei</translation>
    </message>
    <message>
        <source>disk</source>
        <translation>Speicherplatz</translation>
    </message>
    <message>
        <source>PySide6 is not installed, so there can be no window.</source>
        <translation>PySide6 ist nicht installiert, deshalb kann es kein Fenster geben.</translation>
    </message>
    <message>
        <source>display</source>
        <translation>Anzeige</translation>
    </message>
    <message>
        <source>the system&apos;s</source>
        <translation>des Systems</translation>
    </message>
    <message>
        <source>No display here: the window runs unseen, the command line works.</source>
        <translation>Kein Bildschirm hier: Das Fenster läuft unsichtbar, die Befehlszeile funktioniert.</translation>
    </message>
    <message numerus="yes">
        <source>Written since, and not in it: {count} messages, in {names}. Export them first to keep them at hand.</source>
        <comment>Written since, and not in it: {count} message, in {names}. Export them first to keep them at hand.</comment>
        <translation>
            <numerusform>Seither geschrieben und nicht darin: {count} Nachricht, in {names}. Exportieren Sie sie zuerst, um sie zur Hand zu haben.</numerusform>
            <numerusform>Seither geschrieben und nicht darin: {count} Nachrichten, in {names}. Exportieren Sie sie zuerst, um sie zur Hand zu haben.</numerusform>
        </translation>
    </message>
    <message>
        <source>From an older ChatDesk (schema {schema}); it is upgraded at the next start.</source>
        <translation>Aus einer älteren ChatDesk-Version (Schema {schema}); sie wird beim nächsten Start aktualisiert.</translation>
    </message>
    <message numerus="yes">
        <source>{count} attached files are neither in it nor in the data directory.</source>
        <comment>{count} attached file is neither in it nor in the data directory.</comment>
        <translation>
            <numerusform>{count} angehängte Datei ist weder darin noch im Datenverzeichnis.</numerusform>
            <numerusform>{count} angehängte Dateien sind weder darin noch im Datenverzeichnis.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} answers had not ended: they stay as interrupted, and nothing is sent.</source>
        <comment>{count} answer had not ended: they stay as interrupted, and nothing is sent.</comment>
        <translation>
            <numerusform>{count} Antwort war noch nicht fertig: Sie gilt als unterbrochen, und es wird nichts gesendet.</numerusform>
            <numerusform>{count} Antworten waren noch nicht fertig: Sie gelten als unterbrochen, und es wird nichts gesendet.</numerusform>
        </translation>
    </message>
    <message>
        <source>others</source>
        <translation>weitere</translation>
    </message>
    <message>
        <source>Teams: {names}. ChatDesk does not connect to them until you join them again.</source>
        <translation>Teams: {names}. ChatDesk verbindet sich erst mit ihnen, wenn Sie ihnen wieder beitreten.</translation>
    </message>
    <message>
        <source>Afterwards search fills up again in the background.</source>
        <translation>Danach baut sich die Suche im Hintergrund neu auf.</translation>
    </message>
    <message>
        <source>Exported {threads} to {name}.</source>
        <translation>{threads} nach {name} exportiert.</translation>
    </message>
    <message numerus="yes">
        <source>{count} attachments are missing or damaged; the export has only their names: {lost}</source>
        <comment>{count} attachment is missing or damaged; the export has only its name: {lost}</comment>
        <translation>
            <numerusform>{count} Anhang fehlt oder ist beschädigt; der Export enthält nur den Namen: {lost}</numerusform>
            <numerusform>{count} Anhänge fehlen oder sind beschädigt; der Export enthält nur die Namen: {lost}</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} attachments are missing or damaged; the export has only their names</source>
        <comment>{count} attachment is missing or damaged; the export has only its name</comment>
        <translation>
            <numerusform>{count} Anhang fehlt oder ist beschädigt; der Export enthält nur den Namen</numerusform>
            <numerusform>{count} Anhänge fehlen oder sind beschädigt; der Export enthält nur die Namen</numerusform>
        </translation>
    </message>
    <message>
        <source>new</source>
        <comment>thread</comment>
        <translation>neu</translation>
    </message>
    <message>
        <source>has new messages</source>
        <translation>neue Nachrichten</translation>
    </message>
    <message>
        <source>here already</source>
        <translation>schon hier</translation>
    </message>
    <message>
        <source>in the trash</source>
        <translation>im Papierkorb</translation>
    </message>
    <message>
        <source>deleted before</source>
        <translation>früher gelöscht</translation>
    </message>
    <message>
        <source>{server} without a proxy</source>
        <translation>{server} ohne Proxy</translation>
    </message>
    <message>
        <source>{server} through the proxy {proxy}</source>
        <translation>{server} über den Proxy {proxy}</translation>
    </message>
    <message>
        <source>{server}, trusting a file of certificates ({ca}…)</source>
        <translation>{server}, mit einer Datei vertrauenswürdiger Zertifikate ({ca}…)</translation>
    </message>
    <message>
        <source>Send the key of {short} to {server}?</source>
        <translation>Den Schlüssel von {short} an {server} senden?</translation>
    </message>
    <message>
        <source>The variable {variable} names the server of {label}, {server}. Only a key from a variable is sent there, never one that is kept.</source>
        <translation>Die Variable {variable} nennt den Server von {label}, {server}. Nur ein Schlüssel aus einer Variablen wird dorthin gesendet, nie ein gespeicherter.</translation>
    </message>
    <message>
        <source>The key of {label} would travel unencrypted to {words}: anybody on the way could read it.</source>
        <translation>Der Schlüssel von {label} ginge unverschlüsselt an {words}: Jeder auf dem Weg könnte ihn lesen.</translation>
    </message>
    <message>
        <source>The key of {label} was kept by an earlier ChatDesk, which did not note the server that it is for. It would be sent to {words}.</source>
        <translation>Der Schlüssel von {label} wurde von einer früheren ChatDesk-Version gespeichert, die den zugehörigen Server nicht vermerkt hat. Er würde an {words} gesendet.</translation>
    </message>
    <message>
        <source>The key of {label} was given for {words}. It would be sent to {wanted}.</source>
        <translation>Der Schlüssel von {label} wurde für {words} eingegeben. Er würde an {wanted} gesendet.</translation>
    </message>
    <message>
        <source>It would travel unencrypted.</source>
        <translation>Er würde unverschlüsselt übertragen.</translation>
    </message>
    <message>
        <source>Put the key for that server into OPENAI_API_KEY, or remove the variable.</source>
        <translation>Legen Sie den Schlüssel für diesen Server in OPENAI_API_KEY ab, oder entfernen Sie die Variable.</translation>
    </message>
    <message>
        <source>If that is what you want, agree in Settings, Providers, or with &apos;chatdesk providers --agree {provider}&apos;.</source>
        <translation>Wenn Sie das wollen, stimmen Sie unter Einstellungen, Anbieter zu, oder mit &apos;chatdesk providers --agree {provider}&apos;.</translation>
    </message>
    <message>
        <source>Agree, or enter the key again.</source>
        <translation>Stimmen Sie zu, oder geben Sie den Schlüssel neu ein.</translation>
    </message>
    <message>
        <source>it must look like 20/min, with s, min, h or day after the stroke</source>
        <translation>es muss die Form 20/min haben, mit s, min, h oder day nach dem Schrägstrich</translation>
    </message>
    <message>
        <source>“{unit}” is no period; use s, min, h or day</source>
        <translation>„{unit}“ ist kein Zeitraum; verwenden Sie s, min, h oder day</translation>
    </message>
    <message>
        <source>the number of messages must be from 1 to {most_messages}</source>
        <translation>die Zahl der Nachrichten muss zwischen 1 und {most_messages} liegen</translation>
    </message>
    <message>
        <source>the period must be from a second to 30 days</source>
        <translation>der Zeitraum muss zwischen einer Sekunde und 30 Tagen liegen</translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens</source>
        <comment>{count} token</comment>
        <translation>
            <numerusform>{count} Token</numerusform>
            <numerusform>{count} Token</numerusform>
        </translation>
    </message>
    <message>
        <source>a day</source>
        <translation>pro Tag</translation>
    </message>
    <message>
        <source>a month</source>
        <translation>pro Monat</translation>
    </message>
    <message>
        <source>{period} for {label}</source>
        <translation>{period} für {label}</translation>
    </message>
    <message>
        <source>Your messages are kept, and the newest ones are sent as they fit.</source>
        <translation>Ihre Nachrichten bleiben erhalten, und die neuesten werden gesendet, soweit sie hineinpassen.</translation>
    </message>
    <message>
        <source>Summaries and titles are made again tomorrow; the limit is in Settings, Context.</source>
        <translation>Zusammenfassungen und Titel werden morgen wieder erstellt; das Limit steht unter Einstellungen, Kontext.</translation>
    </message>
    <message>
        <source>Today&apos;s limit of {limit} tokens for summaries and titles is reached ({spent} are used).</source>
        <translation>Das heutige Limit von {limit} Token für Zusammenfassungen und Titel ist erreicht ({spent} sind verbraucht).</translation>
    </message>
    <message>
        <source>Titles and summaries stop at {limit} ({spent} are used).</source>
        <translation>Titel und Zusammenfassungen pausieren ab {limit} ({spent} sind verbraucht).</translation>
    </message>
    <message>
        <source>They are made again when the limit starts again; it is in Settings, Usage and limits.</source>
        <translation>Sie werden wieder erstellt, wenn das Limit neu beginnt; es steht unter Einstellungen, Nutzung und Limits.</translation>
    </message>
    <message>
        <source>Your question is kept.</source>
        <translation>Ihre Frage bleibt erhalten.</translation>
    </message>
    <message>
        <source>waiting for an answer</source>
        <translation>wartet auf eine Antwort</translation>
    </message>
    <message>
        <source>This answer has not begun.</source>
        <translation>Diese Antwort hat noch nicht begonnen.</translation>
    </message>
    <message>
        <source>This answer is still being written.</source>
        <translation>Diese Antwort wird noch geschrieben.</translation>
    </message>
    <message>
        <source>This answer was stopped.</source>
        <translation>Diese Antwort wurde angehalten.</translation>
    </message>
    <message>
        <source>This answer was interrupted.</source>
        <translation>Diese Antwort wurde unterbrochen.</translation>
    </message>
    <message>
        <source>This answer failed.</source>
        <translation>Diese Antwort ist fehlgeschlagen.</translation>
    </message>
    <message>
        <source>A part of this message is damaged. What can be read of it is shown; a backup may have it whole.</source>
        <translation>Ein Teil dieser Nachricht ist beschädigt. Was davon lesbar ist, wird gezeigt; eine Sicherung enthält sie vielleicht vollständig.</translation>
    </message>
    <message>
        <source>being written</source>
        <translation>wird geschrieben</translation>
    </message>
    <message>
        <source>stopped</source>
        <translation>angehalten</translation>
    </message>
    <message>
        <source>interrupted</source>
        <translation>unterbrochen</translation>
    </message>
    <message>
        <source>{name} must be a number.</source>
        <translation>{name} muss eine Zahl sein.</translation>
    </message>
    <message>
        <source>{name} must be between 0 and {most}.</source>
        <translation>{name} muss zwischen 0 und {most} liegen.</translation>
    </message>
    <message>
        <source>The length of an answer must be between 1 and {largest_answer} tokens.</source>
        <translation>Die Länge einer Antwort muss zwischen 1 und {largest_answer} Token liegen.</translation>
    </message>
    <message>
        <source>The reasoning effort must be one of {reasoning_efforts}.</source>
        <translation>Der Denkaufwand muss einer dieser Werte sein: {reasoning_efforts}.</translation>
    </message>
    <message>
        <source>There may be at most {most_stop_words} stop words.</source>
        <translation>Es darf höchstens {most_stop_words} Stoppwörter geben.</translation>
    </message>
    <message>
        <source>A stop word has 1 to {longest_stop_word} characters.</source>
        <translation>Ein Stoppwort hat 1 bis {longest_stop_word} Zeichen.</translation>
    </message>
    <message>
        <source>The temperature</source>
        <translation>Die Temperatur</translation>
    </message>
    <message>
        <source>Top-p</source>
        <translation>Top-p</translation>
    </message>
    <message>
        <source>An assistant has at most {most_in_message} files.</source>
        <translation>Ein Assistent hat höchstens {most_in_message} Dateien.</translation>
    </message>
    <message>
        <source>Leave some of them out.</source>
        <translation>Lassen Sie einige davon weg.</translation>
    </message>
    <message>
        <source>The provider&apos;s id may have small letters, digits and hyphens only.</source>
        <translation>Die Kennung des Anbieters darf nur Kleinbuchstaben, Ziffern und Bindestriche enthalten.</translation>
    </message>
    <message>
        <source>Give the provider a name.</source>
        <translation>Geben Sie dem Anbieter einen Namen.</translation>
    </message>
    <message>
        <source>The address must begin with https:// or http://, name a server and hold no password.</source>
        <translation>Die Adresse muss mit https:// oder http:// beginnen, einen Server nennen und darf kein Passwort enthalten.</translation>
    </message>
    <message>
        <source>“{name}” is not the name of a header.</source>
        <translation>„{name}“ ist kein Name eines Headers.</translation>
    </message>
    <message>
        <source>The value of the header {name} contains characters that cannot be sent.</source>
        <translation>Der Wert des Headers {name} enthält Zeichen, die nicht gesendet werden können.</translation>
    </message>
    <message>
        <source>The proxy must be an address such as http://proxy.example:3128, without a password. One that wants a password is set with the variable HTTPS_PROXY.</source>
        <translation>Der Proxy muss eine Adresse wie http://proxy.example:3128 ohne Passwort sein. Verlangt er ein Passwort, wird er mit der Variablen HTTPS_PROXY eingestellt.</translation>
    </message>
    <message>
        <source>The organisation and the project hold characters that cannot be sent.</source>
        <translation>Organisation und Projekt enthalten Zeichen, die nicht gesendet werden können.</translation>
    </message>
    <message>
        <source>Times must be between 1 and 3,600 seconds.</source>
        <translation>Zeiten müssen zwischen 1 und 3.600 Sekunden liegen.</translation>
    </message>
    <message>
        <source>Nothing was sent; your text stays where it is.</source>
        <translation>Es wurde nichts gesendet; Ihr Text bleibt, wo er ist.</translation>
    </message>
    <message>
        <source>{name} chose {label} for this thread. You asked {before} here until now; your question, and the thread with it, would go to {label}.</source>
        <translation>{name} hat {label} für diese Unterhaltung gewählt. Bisher haben Sie hier {before} gefragt; Ihre Frage und mit ihr die Unterhaltung gingen an {label}.</translation>
    </message>
    <message>
        <source>{name} chose {label} for this thread. Your own choice is {before}; your question, and the thread with it, would go to {label}.</source>
        <translation>{name} hat {label} für diese Unterhaltung gewählt. Ihre eigene Wahl ist {before}; Ihre Frage und mit ihr die Unterhaltung gingen an {label}.</translation>
    </message>
    <message>
        <source>Choose a model yourself, or name the provider: --provider {name}.</source>
        <translation>Wählen Sie selbst ein Modell, oder geben Sie den Anbieter an: --provider {name}.</translation>
    </message>
    <message>
        <source>Ask {label}?</source>
        <translation>{label} fragen?</translation>
    </message>
    <message>
        <source>Since {since}, changes of “{project}” are missing on the team&apos;s server.</source>
        <translation>Seit {since} fehlen auf dem Server des Teams Änderungen von „{project}“.</translation>
    </message>
    <message>
        <source>Since {since}, the team&apos;s server has other changes of “{project}” than it took.</source>
        <translation>Seit {since} hat der Server des Teams andere Änderungen von „{project}“, als er angenommen hat.</translation>
    </message>
    <message>
        <source>Since {since}, changes of “{project}” are emptied on the team&apos;s server, and nobody asked for that.</source>
        <translation>Seit {since} sind auf dem Server des Teams Änderungen von „{project}“ geleert, ohne dass jemand das verlangt hat.</translation>
    </message>
    <message>
        <source>Since {since}, the team&apos;s server does not send all changes of “{project}” that it has.</source>
        <translation>Seit {since} sendet der Server des Teams nicht alle Änderungen von „{project}“, die er hat.</translation>
    </message>
    <message>
        <source>It is no longer shared.</source>
        <translation>Es wird nicht mehr geteilt.</translation>
    </message>
    <message>
        <source>You left it.</source>
        <translation>Sie haben es verlassen.</translation>
    </message>
    <message>
        <source>You were removed from it.</source>
        <translation>Sie wurden daraus entfernt.</translation>
    </message>
    <message>
        <source>It was deleted from the team by its owner.</source>
        <translation>Es wurde vom Eigentümer aus dem Team gelöscht.</translation>
    </message>
    <message>
        <source>It was erased for everybody by its owner.</source>
        <translation>Es wurde vom Eigentümer für alle gelöscht.</translation>
    </message>
    <message>
        <source>“{name}” is no longer shared.</source>
        <translation>„{name}“ wird nicht mehr geteilt.</translation>
    </message>
    <message>
        <source>You left “{name}”.</source>
        <translation>Sie haben „{name}“ verlassen.</translation>
    </message>
    <message>
        <source>You were removed from “{name}”.</source>
        <translation>Sie wurden aus „{name}“ entfernt.</translation>
    </message>
    <message>
        <source>“{name}” was deleted from the team by its owner.</source>
        <translation>„{name}“ wurde vom Eigentümer aus dem Team gelöscht.</translation>
    </message>
    <message>
        <source>“{name}” was erased for everybody by its owner.</source>
        <translation>„{name}“ wurde vom Eigentümer für alle gelöscht.</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes wait here to be sent.</source>
        <comment>{count} change waits here to be sent.</comment>
        <translation>
            <numerusform>{count} Änderung ist hier noch zu senden.</numerusform>
            <numerusform>{count} Änderungen sind hier noch zu senden.</numerusform>
        </translation>
    </message>
    <message>
        <source>Waiting for approval</source>
        <translation>Wartet auf Zustimmung</translation>
    </message>
    <message>
        <source>Running</source>
        <translation>Läuft</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>Fertig</translation>
    </message>
    <message>
        <source>Denied</source>
        <translation>Abgelehnt</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>Fehlgeschlagen</translation>
    </message>
    <message>
        <source>Unknown: ChatDesk ended while it ran</source>
        <translation>Unbekannt: ChatDesk wurde währenddessen beendet</translation>
    </message>
    <message>
        <source>It asks you to sign in: choose Sign in in Settings, Tools.</source>
        <translation>Er verlangt eine Anmeldung: Wählen Sie „Anmelden“ unter Einstellungen, Werkzeuge.</translation>
    </message>
    <message>
        <source>“{tool}” is left out: its description is not what the protocol allows.</source>
        <translation>„{tool}“ fehlt: Die Beschreibung entspricht nicht dem Protokoll.</translation>
    </message>
    <message>
        <source>“{tool}” is left out: its name or its description is too long.</source>
        <translation>„{tool}“ fehlt: Der Name oder die Beschreibung ist zu lang.</translation>
    </message>
    <message>
        <source>“{tool}” is listed twice; the second one is left out.</source>
        <translation>„{tool}“ ist zweimal aufgeführt; das zweite fehlt.</translation>
    </message>
    <message>
        <source>Not all of its tools are offered: it lists too many.</source>
        <translation>Nicht alle Werkzeuge werden angeboten: Der Server führt zu viele auf.</translation>
    </message>
    <message>
        <source>Its list may be incomplete: it names the same page again and again.</source>
        <translation>Die Liste ist vielleicht unvollständig: Der Server nennt dieselbe Seite immer wieder.</translation>
    </message>
    <message>
        <source>The tool failed.</source>
        <translation>Das Werkzeug ist fehlgeschlagen.</translation>
    </message>
    <message>
        <source>Your messages are kept.</source>
        <translation>Ihre Nachrichten bleiben erhalten.</translation>
    </message>
    <message>
        <source>Try again, or test the server in Settings, Tools.</source>
        <translation>Versuchen Sie es erneut, oder testen Sie den Server unter Einstellungen, Werkzeuge.</translation>
    </message>
    <message>
        <source>Type a number of tokens, such as 32000 or 128k.</source>
        <translation>Geben Sie eine Zahl von Token ein, etwa 32000 oder 128k.</translation>
    </message>
    <message>
        <source>The context is between {smallest_window} and {largest_window} tokens.</source>
        <translation>Der Kontext liegt zwischen {smallest_window} und {largest_window} Token.</translation>
    </message>
    <message>
        <source>Type dollars for a million tokens, such as 0.25.</source>
        <translation>Geben Sie den Preis für eine Million Token in Dollar ein, etwa 0.25.</translation>
    </message>
    <message>
        <source>Something went wrong.</source>
        <translation>Etwas ist schiefgegangen.</translation>
    </message>
    <message>
        <source>Try again.</source>
        <translation>Versuchen Sie es erneut.</translation>
    </message>
    <message>
        <source>That is not a valid id.</source>
        <translation>Das ist keine gültige Kennung.</translation>
    </message>
    <message>
        <source>Check the id; it looks like 0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e.</source>
        <translation>Prüfen Sie die Kennung; sie hat die Form 0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e.</translation>
    </message>
    <message>
        <source>The message is empty.</source>
        <translation>Die Nachricht ist leer.</translation>
    </message>
    <message>
        <source>Type something first.</source>
        <translation>Schreiben Sie zuerst etwas.</translation>
    </message>
    <message>
        <source>The message is larger than the limit.</source>
        <translation>Die Nachricht ist größer als das Limit.</translation>
    </message>
    <message>
        <source>Your text is kept in the composer.</source>
        <translation>Ihr Text bleibt im Eingabefeld.</translation>
    </message>
    <message>
        <source>Shorten it, or attach it as a file.</source>
        <translation>Kürzen Sie sie, oder hängen Sie sie als Datei an.</translation>
    </message>
    <message>
        <source>The file is larger than the limit.</source>
        <translation>Die Datei ist größer als das Limit.</translation>
    </message>
    <message>
        <source>Attach a smaller file or a part of it, or raise the limit in the settings.</source>
        <translation>Hängen Sie eine kleinere Datei oder einen Teil davon an, oder erhöhen Sie das Limit in den Einstellungen.</translation>
    </message>
    <message>
        <source>“{name}” is larger than {limit}.</source>
        <translation>„{name}“ ist größer als {limit}.</translation>
    </message>
    <message>
        <source>The file is larger than {limit}.</source>
        <translation>Die Datei ist größer als {limit}.</translation>
    </message>
    <message>
        <source>The file cannot be attached.</source>
        <translation>Die Datei kann nicht angehängt werden.</translation>
    </message>
    <message>
        <source>Choose another file.</source>
        <translation>Wählen Sie eine andere Datei.</translation>
    </message>
    <message>
        <source>This file cannot be imported.</source>
        <translation>Diese Datei kann nicht importiert werden.</translation>
    </message>
    <message>
        <source>A thread needs a title.</source>
        <translation>Eine Unterhaltung braucht einen Titel.</translation>
    </message>
    <message>
        <source>The old title is kept.</source>
        <translation>Der alte Titel bleibt erhalten.</translation>
    </message>
    <message>
        <source>Type at least one character.</source>
        <translation>Geben Sie mindestens ein Zeichen ein.</translation>
    </message>
    <message>
        <source>It may have been deleted for good; look in the list.</source>
        <translation>Sie wurde vielleicht endgültig gelöscht; sehen Sie in der Liste nach.</translation>
    </message>
    <message>
        <source>There is no thread with that id.</source>
        <translation>Es gibt keine Unterhaltung mit dieser Kennung.</translation>
    </message>
    <message>
        <source>There is no message with that id.</source>
        <translation>Es gibt keine Nachricht mit dieser Kennung.</translation>
    </message>
    <message>
        <source>The message to answer to does not exist in this thread.</source>
        <translation>Die zu beantwortende Nachricht gibt es in dieser Unterhaltung nicht.</translation>
    </message>
    <message>
        <source>There is no project with that id.</source>
        <translation>Es gibt kein Projekt mit dieser Kennung.</translation>
    </message>
    <message>
        <source>There is no summary with that id.</source>
        <translation>Es gibt keine Zusammenfassung mit dieser Kennung.</translation>
    </message>
    <message>
        <source>There is no prompt with that id.</source>
        <translation>Es gibt keinen Prompt mit dieser Kennung.</translation>
    </message>
    <message>
        <source>The message is larger than what the model can read at once.</source>
        <translation>Die Nachricht ist größer, als das Modell auf einmal lesen kann.</translation>
    </message>
    <message>
        <source>Shorten it, attach it as a file, or choose a model with a larger window.</source>
        <translation>Kürzen Sie sie, hängen Sie sie als Datei an, oder wählen Sie ein Modell mit größerem Fenster.</translation>
    </message>
    <message>
        <source>The system prompt leaves no room for the message.</source>
        <translation>Der Systemprompt lässt keinen Platz für die Nachricht.</translation>
    </message>
    <message>
        <source>Shorten the system prompt, or choose a model with a larger window.</source>
        <translation>Kürzen Sie den Systemprompt, oder wählen Sie ein Modell mit größerem Fenster.</translation>
    </message>
    <message>
        <source>The question is excluded from the context, so there is nothing to answer.</source>
        <translation>Die Frage ist aus dem Kontext genommen, deshalb gibt es nichts zu beantworten.</translation>
    </message>
    <message>
        <source>Take it back into the context, or ask again.</source>
        <translation>Nehmen Sie sie wieder in den Kontext auf, oder fragen Sie erneut.</translation>
    </message>
    <message>
        <source>Some messages of this summary are gone or no longer shown.</source>
        <translation>Einige Nachrichten dieser Zusammenfassung fehlen oder werden nicht mehr angezeigt.</translation>
    </message>
    <message>
        <source>Nothing was changed; as many of the remaining messages as fit are sent.</source>
        <translation>Es wurde nichts geändert; von den verbliebenen Nachrichten werden so viele gesendet, wie hineinpassen.</translation>
    </message>
    <message>
        <source>Create the summary again.</source>
        <translation>Erstellen Sie die Zusammenfassung neu.</translation>
    </message>
    <message>
        <source>The model gave no summary that can be used.</source>
        <translation>Das Modell lieferte keine brauchbare Zusammenfassung.</translation>
    </message>
    <message>
        <source>Nothing was changed; as many of the newest messages as fit are sent.</source>
        <translation>Es wurde nichts geändert; von den neuesten Nachrichten werden so viele gesendet, wie hineinpassen.</translation>
    </message>
    <message>
        <source>ChatDesk tries again later.</source>
        <translation>ChatDesk versucht es später erneut.</translation>
    </message>
    <message>
        <source>Summarising this thread would cost more than the limit.</source>
        <translation>Diese Unterhaltung zusammenzufassen würde mehr kosten als das Limit.</translation>
    </message>
    <message>
        <source>No summary was asked for; as many of the newest messages as fit are sent instead.</source>
        <translation>Es wurde keine Zusammenfassung angefordert; stattdessen werden von den neuesten Nachrichten so viele gesendet, wie hineinpassen.</translation>
    </message>
    <message>
        <source>Allow it, or leave the thread as it is; the limit is in Settings, Usage and limits.</source>
        <translation>Erlauben Sie es, oder lassen Sie die Unterhaltung, wie sie ist; das Limit steht unter Einstellungen, Nutzung und Limits.</translation>
    </message>
    <message>
        <source>This thread is in the trash.</source>
        <translation>Diese Unterhaltung liegt im Papierkorb.</translation>
    </message>
    <message>
        <source>Restore it first.</source>
        <translation>Stellen Sie sie zuerst wieder her.</translation>
    </message>
    <message>
        <source>This message is in the trash.</source>
        <translation>Diese Nachricht liegt im Papierkorb.</translation>
    </message>
    <message>
        <source>An answer is still being written in this thread.</source>
        <translation>In dieser Unterhaltung wird noch eine Antwort geschrieben.</translation>
    </message>
    <message>
        <source>Wait for it or stop it first.</source>
        <translation>Warten Sie darauf, oder halten Sie sie zuerst an.</translation>
    </message>
    <message>
        <source>The database could not be used.</source>
        <translation>Die Datenbank konnte nicht benutzt werden.</translation>
    </message>
    <message>
        <source>Run &apos;chatdesk doctor&apos; for details.</source>
        <translation>Führen Sie &apos;chatdesk doctor&apos; für Einzelheiten aus.</translation>
    </message>
    <message>
        <source>The disk is full, so this could not be saved.</source>
        <translation>Der Datenträger ist voll, deshalb konnte dies nicht gespeichert werden.</translation>
    </message>
    <message>
        <source>Everything saved before is unchanged, and your text is still in the window.</source>
        <translation>Alles vorher Gespeicherte ist unverändert, und Ihr Text steht noch im Fenster.</translation>
    </message>
    <message>
        <source>Everything saved before is unchanged.</source>
        <translation>Alles vorher Gespeicherte ist unverändert.</translation>
    </message>
    <message>
        <source>Free some space and try again.</source>
        <translation>Schaffen Sie Platz und versuchen Sie es erneut.</translation>
    </message>
    <message>
        <source>The answer could not be saved.</source>
        <translation>Die Antwort konnte nicht gespeichert werden.</translation>
    </message>
    <message>
        <source>What was saved before is unchanged; of the answer only the beginning may be kept.</source>
        <translation>Was vorher gespeichert wurde, ist unverändert; von der Antwort ist vielleicht nur der Anfang erhalten.</translation>
    </message>
    <message>
        <source>Free disk space or correct the permissions so that ChatDesk can save, then ask again.</source>
        <translation>Schaffen Sie Platz oder berichtigen Sie die Rechte, damit ChatDesk speichern kann, und fragen Sie dann erneut.</translation>
    </message>
    <message>
        <source>Another program is using the database.</source>
        <translation>Ein anderes Programm benutzt die Datenbank.</translation>
    </message>
    <message>
        <source>Close the other program or try again in a moment.</source>
        <translation>Schließen Sie das andere Programm, oder versuchen Sie es gleich noch einmal.</translation>
    </message>
    <message>
        <source>The database cannot be written to.</source>
        <translation>In die Datenbank kann nicht geschrieben werden.</translation>
    </message>
    <message>
        <source>You can still read everything.</source>
        <translation>Sie können weiterhin alles lesen.</translation>
    </message>
    <message>
        <source>Check the permissions of the data directory.</source>
        <translation>Prüfen Sie die Rechte des Datenverzeichnisses.</translation>
    </message>
    <message>
        <source>The database file is damaged.</source>
        <translation>Die Datenbankdatei ist beschädigt.</translation>
    </message>
    <message>
        <source>The file was left as it is; backups are in the backup directory.</source>
        <translation>Die Datei wurde nicht verändert; Sicherungen liegen im Sicherungsverzeichnis.</translation>
    </message>
    <message>
        <source>Restore the newest backup, or copy out what can be read: &apos;chatdesk doctor --repair&apos;.</source>
        <translation>Stellen Sie die neueste Sicherung wieder her, oder kopieren Sie heraus, was sich lesen lässt: &apos;chatdesk doctor --repair&apos;.</translation>
    </message>
    <message>
        <source>Run &apos;chatdesk doctor --repair&apos;; if that does not help, send the report of &apos;chatdesk doctor&apos;.</source>
        <translation>Führen Sie &apos;chatdesk doctor --repair&apos; aus; wenn das nicht hilft, senden Sie den Bericht von &apos;chatdesk doctor&apos;.</translation>
    </message>
    <message>
        <source>A database was here before, and now it is missing or empty.</source>
        <translation>Hier war eine Datenbank, und jetzt fehlt sie oder ist leer.</translation>
    </message>
    <message>
        <source>Choose the export as its program wrote it.</source>
        <translation>Wählen Sie den Export so, wie sein Programm ihn geschrieben hat.</translation>
    </message>
    <message>
        <source>Nothing was created in its place.</source>
        <translation>An ihrer Stelle wurde nichts angelegt.</translation>
    </message>
    <message>
        <source>Restore the file or a backup; run &apos;chatdesk doctor&apos; for the paths.</source>
        <translation>Stellen Sie die Datei oder eine Sicherung wieder her; &apos;chatdesk doctor&apos; nennt die Pfade.</translation>
    </message>
    <message>
        <source>The database file was moved or replaced while ChatDesk was running.</source>
        <translation>Die Datenbankdatei wurde verschoben oder ersetzt, während ChatDesk lief.</translation>
    </message>
    <message>
        <source>Writing has stopped so that nothing goes into the wrong file.</source>
        <translation>Das Schreiben wurde angehalten, damit nichts in die falsche Datei gelangt.</translation>
    </message>
    <message>
        <source>Close ChatDesk, put the file back, and start again.</source>
        <translation>Schließen Sie ChatDesk, legen Sie die Datei zurück und starten Sie neu.</translation>
    </message>
    <message>
        <source>The database is out of reach: its drive, folder or file is not there.</source>
        <translation>Die Datenbank ist nicht erreichbar: Laufwerk, Ordner oder Datei fehlt.</translation>
    </message>
    <message>
        <source>Nothing was written anywhere else, and your text is still in the window.</source>
        <translation>Nirgendwo sonst wurde etwas geschrieben, und Ihr Text steht noch im Fenster.</translation>
    </message>
    <message>
        <source>Nothing was written anywhere else.</source>
        <translation>Nirgendwo sonst wurde etwas geschrieben.</translation>
    </message>
    <message>
        <source>Connect the drive or put the file back; ChatDesk then continues by itself.</source>
        <translation>Verbinden Sie das Laufwerk oder legen Sie die Datei zurück; ChatDesk macht dann von selbst weiter.</translation>
    </message>
    <message>
        <source>This database was written by a newer ChatDesk.</source>
        <translation>Diese Datenbank stammt aus einer neueren ChatDesk-Version.</translation>
    </message>
    <message>
        <source>It was not touched.</source>
        <translation>Sie wurde nicht verändert.</translation>
    </message>
    <message>
        <source>Update ChatDesk to open it.</source>
        <translation>Aktualisieren Sie ChatDesk, um sie zu öffnen.</translation>
    </message>
    <message>
        <source>The database could not be upgraded.</source>
        <translation>Die Datenbank konnte nicht aktualisiert werden.</translation>
    </message>
    <message>
        <source>It was left as it was and can be read; a verified backup is in the backup directory.</source>
        <translation>Sie wurde nicht verändert und kann gelesen werden; eine geprüfte Sicherung liegt im Sicherungsverzeichnis.</translation>
    </message>
    <message>
        <source>ChatDesk is already running on this data directory.</source>
        <translation>ChatDesk läuft bereits mit diesem Datenverzeichnis.</translation>
    </message>
    <message>
        <source>Use the open window, or choose another --data-dir.</source>
        <translation>Verwenden Sie das offene Fenster, oder wählen Sie ein anderes --data-dir.</translation>
    </message>
    <message>
        <source>The output could not be written.</source>
        <translation>Die Ausgabe konnte nicht geschrieben werden.</translation>
    </message>
    <message>
        <source>Free some space, or send it elsewhere.</source>
        <translation>Schaffen Sie Platz, oder leiten Sie sie um.</translation>
    </message>
    <message>
        <source>The export could not be written.</source>
        <translation>Der Export konnte nicht geschrieben werden.</translation>
    </message>
    <message>
        <source>Your messages are unchanged, and nothing half-written was left.</source>
        <translation>Ihre Nachrichten sind unverändert, und es blieb nichts Halbfertiges zurück.</translation>
    </message>
    <message>
        <source>You may read this shared project, but not write in it.</source>
        <translation>Sie dürfen dieses geteilte Projekt lesen, aber nicht darin schreiben.</translation>
    </message>
    <message>
        <source>Ask an owner or administrator of the project to let you edit.</source>
        <translation>Bitten Sie einen Eigentümer oder Verwalter des Projekts, Sie bearbeiten zu lassen.</translation>
    </message>
    <message>
        <source>Another member wrote this, and your role lets you change and delete only what is yours.</source>
        <translation>Das hat ein anderes Mitglied geschrieben, und Ihre Rolle erlaubt nur, Eigenes zu ändern und zu löschen.</translation>
    </message>
    <message>
        <source>Ask the person who made it, or an owner or administrator of the project.</source>
        <translation>Fragen Sie die Person, die es geschrieben hat, oder einen Eigentümer oder Verwalter des Projekts.</translation>
    </message>
    <message>
        <source>The team&apos;s database did not do what was asked.</source>
        <translation>Die Datenbank des Teams hat nicht getan, was verlangt war.</translation>
    </message>
    <message>
        <source>Everything you wrote is kept on this computer.</source>
        <translation>Alles, was Sie geschrieben haben, ist auf diesem Computer erhalten.</translation>
    </message>
    <message>
        <source>Open Details in the status line to see what it said.</source>
        <translation>Öffnen Sie „Details“ in der Statuszeile, um zu sehen, was sie gemeldet hat.</translation>
    </message>
    <message>
        <source>The team&apos;s database was restored from a backup.</source>
        <translation>Die Datenbank des Teams wurde aus einer Sicherung wiederhergestellt.</translation>
    </message>
    <message>
        <source>ChatDesk compares everything again and sends what that backup lacks.</source>
        <translation>ChatDesk vergleicht alles erneut und sendet, was in dieser Sicherung fehlt.</translation>
    </message>
    <message>
        <source>Your message is kept.</source>
        <translation>Ihre Nachricht bleibt erhalten.</translation>
    </message>
    <message>
        <source>{who} sent something of another kind.</source>
        <translation>{who} hat etwas von anderer Art gesendet.</translation>
    </message>
    <message>
        <source>It could not be loaded.</source>
        <translation>Es konnte nicht geladen werden.</translation>
    </message>
    <message>
        <source>{host} did not answer in time.</source>
        <translation>{host} hat nicht rechtzeitig geantwortet.</translation>
    </message>
    <message>
        <source>{host} did not give an answer that can be used.</source>
        <translation>{host} hat keine brauchbare Antwort gegeben.</translation>
    </message>
    <message>
        <source>The address leads to another server: {host}.</source>
        <translation>Die Adresse führt zu einem anderen Server: {host}.</translation>
    </message>
    <message>
        <source>{host} redirects in a circle.</source>
        <translation>{host} leitet im Kreis um.</translation>
    </message>
    <message>
        <source>{host} redirects to another address.</source>
        <translation>{host} leitet an eine andere Adresse um.</translation>
    </message>
    <message>
        <source>{host} is this computer or an address for machines only; nothing is loaded from there.</source>
        <translation>{host} ist dieser Computer oder eine Adresse nur für Maschinen; von dort wird nichts geladen.</translation>
    </message>
    <message>
        <source>{host} is in a private network.</source>
        <translation>{host} liegt in einem privaten Netz.</translation>
    </message>
    <message>
        <source>Nothing can be loaded from this address.</source>
        <translation>Von dieser Adresse kann nichts geladen werden.</translation>
    </message>
    <message>
        <source>{hostname} answered with the error {status}.</source>
        <translation>{hostname} hat mit dem Fehler {status} geantwortet.</translation>
    </message>
    <message>
        <source>The data came compressed in a way that ChatDesk did not ask for.</source>
        <translation>Die Daten kamen in einer Komprimierung an, die ChatDesk nicht angefordert hat.</translation>
    </message>
    <message>
        <source>The data did not arrive completely.</source>
        <translation>Die Daten kamen nicht vollständig an.</translation>
    </message>
    <message>
        <source>The data is larger than {max_bytes} MB.</source>
        <translation>Die Daten sind größer als {max_bytes} MB.</translation>
    </message>
    <message>
        <source>“{name}” beside it is a link or a file, not a folder</source>
        <translation>„{name}“ daneben ist ein Link oder eine Datei, kein Ordner</translation>
    </message>
    <message>
        <source>The disk of {target} is full.</source>
        <translation>Der Datenträger von {target} ist voll.</translation>
    </message>
    <message>
        <source>Free some space, or choose another place.</source>
        <translation>Schaffen Sie Platz, oder wählen Sie einen anderen Ort.</translation>
    </message>
    <message>
        <source>{target} may not be written by this user.</source>
        <translation>Dieser Benutzer darf {target} nicht schreiben.</translation>
    </message>
    <message>
        <source>{target} is a folder.</source>
        <translation>{target} ist ein Ordner.</translation>
    </message>
    <message>
        <source>Name a file in it.</source>
        <translation>Geben Sie eine Datei darin an.</translation>
    </message>
    <message>
        <source>The folder of {target} is not there.</source>
        <translation>Den Ordner von {target} gibt es nicht.</translation>
    </message>
    <message>
        <source>Put the drive back, or choose another place.</source>
        <translation>Schließen Sie das Laufwerk wieder an, oder wählen Sie einen anderen Ort.</translation>
    </message>
    <message>
        <source>No file can be made in {parent}.</source>
        <translation>In {parent} kann keine Datei angelegt werden.</translation>
    </message>
    <message>
        <source>The name {name}… is too long for that place.</source>
        <translation>Der Name {name}… ist für diesen Ort zu lang.</translation>
    </message>
    <message>
        <source>{target} could not be written: {strerror}.</source>
        <translation>{target} konnte nicht geschrieben werden: {strerror}.</translation>
    </message>
    <message>
        <source>“chatdesk {purpose}” (process {pid}) is using this data directory.</source>
        <translation>„chatdesk {purpose}“ (Prozess {pid}) arbeitet in diesem Datenverzeichnis.</translation>
    </message>
    <message>
        <source>Wait until it has ended, then try again; or choose another --data-dir.</source>
        <translation>Warten Sie, bis es fertig ist, und versuchen Sie es dann erneut; oder wählen Sie ein anderes --data-dir.</translation>
    </message>
    <message>
        <source>Another process answers in the place of the ChatDesk that has this data directory open.</source>
        <translation>Ein anderer Prozess antwortet anstelle des ChatDesk, das dieses Datenverzeichnis geöffnet hat.</translation>
    </message>
    <message>
        <source>Nothing was sent to it.</source>
        <translation>Es wurde nichts an ihn gesendet.</translation>
    </message>
    <message>
        <source>Close ChatDesk and start it again; &apos;chatdesk doctor&apos; shows who owns the directory.</source>
        <translation>Schließen Sie ChatDesk und starten Sie es neu; &apos;chatdesk doctor&apos; zeigt, wem das Verzeichnis gehört.</translation>
    </message>
    <message>
        <source>The ChatDesk that was answering has ended.</source>
        <translation>Das ChatDesk, das geantwortet hat, wurde beendet.</translation>
    </message>
    <message>
        <source>What had arrived of the answer is kept.</source>
        <translation>Was von der Antwort angekommen war, bleibt erhalten.</translation>
    </message>
    <message>
        <source>Ask again.</source>
        <translation>Fragen Sie erneut.</translation>
    </message>
    <message>
        <source>The disk is full, so ChatDesk can only read.</source>
        <translation>Der Datenträger ist voll, deshalb kann ChatDesk nur lesen.</translation>
    </message>
    <message>
        <source>The data directory cannot be written to.</source>
        <translation>In das Datenverzeichnis kann nicht geschrieben werden.</translation>
    </message>
    <message>
        <source>The file system of the data directory cannot lock files, so ChatDesk only reads from it.</source>
        <translation>Das Dateisystem des Datenverzeichnisses kann keine Dateien sperren, deshalb liest ChatDesk nur daraus.</translation>
    </message>
    <message>
        <source>Choose a data directory on a local disk.</source>
        <translation>Wählen Sie ein Datenverzeichnis auf einem lokalen Datenträger.</translation>
    </message>
    <message>
        <source>This ChatDesk does not do that.</source>
        <translation>Dieses ChatDesk kann das nicht.</translation>
    </message>
    <message>
        <source>Too many commands ask this ChatDesk at once. Try again later.</source>
        <translation>Zu viele Befehle wenden sich gleichzeitig an dieses ChatDesk. Versuchen Sie es später erneut.</translation>
    </message>
    <message>
        <source>Something unexpected happened. The log says more.</source>
        <translation>Etwas Unerwartetes ist geschehen. Näheres steht im Protokoll.</translation>
    </message>
    <message>
        <source>There is no home directory: HOME is not set, and the system knows none for this user.</source>
        <translation>Es gibt kein Benutzerverzeichnis: HOME ist nicht gesetzt, und das System kennt keines für diesen Benutzer.</translation>
    </message>
    <message>
        <source>Set HOME, or choose an absolute directory with --data-dir.</source>
        <translation>Setzen Sie HOME, oder wählen Sie mit --data-dir einen absoluten Pfad.</translation>
    </message>
    <message>
        <source>The current directory no longer exists.</source>
        <translation>Das aktuelle Verzeichnis gibt es nicht mehr.</translation>
    </message>
    <message>
        <source>Go to another one, or choose an absolute directory with --data-dir.</source>
        <translation>Wechseln Sie in ein anderes, oder wählen Sie mit --data-dir einen absoluten Pfad.</translation>
    </message>
    <message>
        <source>The data directory cannot be used: the name {data_dir} is not UTF-8.</source>
        <translation>Das Datenverzeichnis kann nicht verwendet werden: Der Name {data_dir} ist kein UTF-8.</translation>
    </message>
    <message>
        <source>Rename it, or choose another with --data-dir.</source>
        <translation>Benennen Sie es um, oder wählen Sie ein anderes mit --data-dir.</translation>
    </message>
    <message>
        <source>The answer of {who} took longer than {duration} and was stopped.</source>
        <translation>Die Antwort von {who} dauerte länger als {duration} und wurde angehalten.</translation>
    </message>
    <message>
        <source>Continue the answer, or try again.</source>
        <translation>Setzen Sie die Antwort fort, oder versuchen Sie es erneut.</translation>
    </message>
    <message>
        <source>The base URL is not a web address.</source>
        <translation>Die Basis-URL ist keine Webadresse.</translation>
    </message>
    <message>
        <source>The base URL for {hostname} contains a user name or a password.</source>
        <translation>Die Basis-URL für {hostname} enthält einen Benutzernamen oder ein Passwort.</translation>
    </message>
    <message>
        <source>The API key contains characters that no key has.</source>
        <translation>Der API-Schlüssel enthält Zeichen, die in keinem Schlüssel vorkommen.</translation>
    </message>
    <message>
        <source>One of the extra headers contains characters that cannot be sent.</source>
        <translation>Einer der zusätzlichen Header enthält Zeichen, die nicht gesendet werden können.</translation>
    </message>
    <message>
        <source>The extra header Host names another server than the address.</source>
        <translation>Der zusätzliche Header Host nennt einen anderen Server als die Adresse.</translation>
    </message>
    <message>
        <source>The proxy that the system names cannot be used: {proxy}. Name an HTTP proxy there, or set the proxy of this provider.</source>
        <translation>Der Proxy, den das System nennt, kann nicht verwendet werden: {proxy}. Nennen Sie dort einen HTTP-Proxy, oder legen Sie den Proxy dieses Anbieters fest.</translation>
    </message>
    <message>
        <source>The file of certificates is not there.</source>
        <translation>Die Zertifikatsdatei wurde nicht gefunden.</translation>
    </message>
    <message>
        <source>Your message and the part of the answer that arrived are kept.</source>
        <translation>Ihre Nachricht und der angekommene Teil der Antwort bleiben erhalten.</translation>
    </message>
    <message>
        <source>There is no network connection to {who}.</source>
        <translation>Es gibt keine Netzwerkverbindung zu {who}.</translation>
    </message>
    <message>
        <source>Check the network, then try again; the offline model works without one.</source>
        <translation>Prüfen Sie das Netzwerk und versuchen Sie es dann erneut; das Offline-Modell braucht keines.</translation>
    </message>
    <message>
        <source>The address of {who} could not be found.</source>
        <translation>Die Adresse von {who} konnte nicht gefunden werden.</translation>
    </message>
    <message>
        <source>Check the network and the spelling of the base URL, then try again.</source>
        <translation>Prüfen Sie das Netzwerk und die Schreibweise der Basis-URL und versuchen Sie es dann erneut.</translation>
    </message>
    <message>
        <source>{who} refused the connection.</source>
        <translation>{who} hat die Verbindung abgelehnt.</translation>
    </message>
    <message>
        <source>Check that the server is running and that the base URL names the right port.</source>
        <translation>Prüfen Sie, ob der Server läuft und die Basis-URL den richtigen Port nennt.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate or encryption was not accepted.</source>
        <translation>Die Verbindung zu {who} ist nicht sicher: Zertifikat oder Verschlüsselung wurde nicht akzeptiert.</translation>
    </message>
    <message>
        <source>Check the clock of this computer, the base URL and any proxy; nothing is sent until this is solved.</source>
        <translation>Prüfen Sie die Uhr dieses Computers, die Basis-URL und einen etwaigen Proxy; bis dahin wird nichts gesendet.</translation>
    </message>
    <message>
        <source>{who} did not accept the request.</source>
        <translation>{who} hat die Anfrage nicht angenommen.</translation>
    </message>
    <message>
        <source>Change the message or choose another model, then try again.</source>
        <translation>Ändern Sie die Nachricht oder wählen Sie ein anderes Modell und versuchen Sie es dann erneut.</translation>
    </message>
    <message>
        <source>{who} did not accept the API key.</source>
        <translation>{who} hat den API-Schlüssel nicht akzeptiert.</translation>
    </message>
    <message>
        <source>Check the API key in the settings.</source>
        <translation>Prüfen Sie den API-Schlüssel in den Einstellungen.</translation>
    </message>
    <message>
        <source>The account at {who} has no credit left or has reached its spending limit.</source>
        <translation>Das Konto bei {who} hat kein Guthaben mehr oder sein Ausgabenlimit erreicht.</translation>
    </message>
    <message>
        <source>Check the billing page of the account, or choose another provider.</source>
        <translation>Prüfen Sie die Abrechnungsseite des Kontos, oder wählen Sie einen anderen Anbieter.</translation>
    </message>
    <message>
        <source>{who} does not allow this API key to do that.</source>
        <translation>{who} erlaubt das mit diesem API-Schlüssel nicht.</translation>
    </message>
    <message>
        <source>Choose another model, or ask the owner of the account.</source>
        <translation>Wählen Sie ein anderes Modell, oder fragen Sie den Inhaber des Kontos.</translation>
    </message>
    <message>
        <source>{who} does not know this model or this address.</source>
        <translation>{who} kennt dieses Modell oder diese Adresse nicht.</translation>
    </message>
    <message>
        <source>Choose another model, or check the base URL.</source>
        <translation>Wählen Sie ein anderes Modell, oder prüfen Sie die Basis-URL.</translation>
    </message>
    <message>
        <source>{who} gave up on the request because it took too long.</source>
        <translation>{who} hat die Anfrage aufgegeben, weil sie zu lange dauerte.</translation>
    </message>
    <message>
        <source>Try again, or shorten the message.</source>
        <translation>Versuchen Sie es erneut, oder kürzen Sie die Nachricht.</translation>
    </message>
    <message>
        <source>{who} refused the request because it conflicts with another one.</source>
        <translation>{who} hat die Anfrage abgelehnt, weil sie mit einer anderen in Konflikt steht.</translation>
    </message>
    <message>
        <source>Try again in a moment.</source>
        <translation>Versuchen Sie es gleich noch einmal.</translation>
    </message>
    <message>
        <source>The thread is too long for this model.</source>
        <translation>Die Unterhaltung ist für dieses Modell zu lang.</translation>
    </message>
    <message>
        <source>Start a new thread, shorten the message, or choose a larger model.</source>
        <translation>Beginnen Sie eine neue Unterhaltung, kürzen Sie die Nachricht, oder wählen Sie ein größeres Modell.</translation>
    </message>
    <message>
        <source>{who} is receiving too many requests.</source>
        <translation>{who} erhält zu viele Anfragen.</translation>
    </message>
    <message>
        <source>Wait a moment, then try again.</source>
        <translation>Warten Sie einen Moment und versuchen Sie es dann erneut.</translation>
    </message>
    <message>
        <source>{who} had an internal error.</source>
        <translation>{who} hatte einen internen Fehler.</translation>
    </message>
    <message>
        <source>Try again in a moment or choose another model.</source>
        <translation>Versuchen Sie es gleich noch einmal, oder wählen Sie ein anderes Modell.</translation>
    </message>
    <message>
        <source>{who} could not be reached within {seconds} s.</source>
        <translation>{who} war innerhalb von {seconds} s nicht zu erreichen.</translation>
    </message>
    <message>
        <source>Check the network and the base URL, then try again.</source>
        <translation>Prüfen Sie das Netzwerk und die Basis-URL und versuchen Sie es dann erneut.</translation>
    </message>
    <message>
        <source>{who} did not begin to answer within {seconds} s.</source>
        <translation>{who} hat innerhalb von {seconds} s nicht zu antworten begonnen.</translation>
    </message>
    <message>
        <source>Try again, or give it more time: “First word” of this provider, or provider.first_byte_timeout_s.</source>
        <translation>Versuchen Sie es noch einmal, oder geben Sie mehr Zeit: „Erstes Wort“ dieses Anbieters oder provider.first_byte_timeout_s.</translation>
    </message>
    <message>
        <source>Try again or choose another model.</source>
        <translation>Versuchen Sie es erneut, oder wählen Sie ein anderes Modell.</translation>
    </message>
    <message>
        <source>{who} stopped sending: no more of the answer arrived for {seconds} s.</source>
        <translation>{who} sendet nicht mehr: {seconds} s lang kam von der Antwort nichts mehr an.</translation>
    </message>
    <message>
        <source>{who} redirected the request to another address; ChatDesk did not follow, so nothing was sent there.</source>
        <translation>{who} hat die Anfrage an eine andere Adresse umgeleitet; ChatDesk ist nicht gefolgt, sodass dorthin nichts gesendet wurde.</translation>
    </message>
    <message>
        <source>{who} redirected the request without saying where to.</source>
        <translation>{who} hat die Anfrage umgeleitet, ohne zu sagen, wohin.</translation>
    </message>
    <message>
        <source>{who} redirected the request to an address that cannot be read.</source>
        <translation>{who} hat die Anfrage an eine Adresse umgeleitet, die nicht gelesen werden kann.</translation>
    </message>
    <message>
        <source>{who} redirected the request to something that is not a web address, so nothing was sent there.</source>
        <translation>{who} hat die Anfrage an etwas umgeleitet, das keine Webadresse ist; dorthin wurde also nichts gesendet.</translation>
    </message>
    <message>
        <source>{who} redirected the request in a way that would lose the message, so ChatDesk did not follow.</source>
        <translation>{who} hat die Anfrage so umgeleitet, dass die Nachricht verloren ginge, deshalb ist ChatDesk nicht gefolgt.</translation>
    </message>
    <message>
        <source>Check the base URL: a wrong path or a log-in page often causes this.</source>
        <translation>Prüfen Sie die Basis-URL: Oft liegt es an einem falschen Pfad oder einer Anmeldeseite.</translation>
    </message>
    <message>
        <source>{who} redirected the request to another address ({host}); ChatDesk did not follow, so nothing was sent there.</source>
        <translation>{who} hat die Anfrage an eine andere Adresse umgeleitet ({host}); ChatDesk ist nicht gefolgt, sodass dorthin nichts gesendet wurde.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is self-signed.</source>
        <translation>Die Verbindung zu {who} ist nicht sicher: Das Zertifikat ist selbst signiert.</translation>
    </message>
    <message>
        <source>The connection to {who} was lost.</source>
        <translation>Die Verbindung zu {who} ging verloren.</translation>
    </message>
    <message>
        <source>{who} sent something that ChatDesk cannot read.</source>
        <translation>{who} hat etwas gesendet, das ChatDesk nicht lesen kann.</translation>
    </message>
    <message>
        <source>Try again; if it stays so, check the base URL.</source>
        <translation>Versuchen Sie es erneut; wenn es so bleibt, prüfen Sie die Basis-URL.</translation>
    </message>
    <message>
        <source>{who} ended the answer without saying that it is finished, so it may be cut off.</source>
        <translation>{who} hat die Antwort beendet, ohne zu sagen, dass sie fertig ist; sie ist vielleicht abgeschnitten.</translation>
    </message>
    <message>
        <source>{who} sent a web page or a file instead of an answer.</source>
        <translation>{who} hat eine Webseite oder eine Datei statt einer Antwort gesendet.</translation>
    </message>
    <message>
        <source>Check the base URL (it usually ends in /v1), and sign in first if this network has a log-in page.</source>
        <translation>Prüfen Sie die Basis-URL (sie endet meist auf /v1), und melden Sie sich zuerst an, falls dieses Netz eine Anmeldeseite hat.</translation>
    </message>
    <message>
        <source>{who} sent an empty answer.</source>
        <translation>{who} hat eine leere Antwort gesendet.</translation>
    </message>
    <message>
        <source>The content filter of {who} stopped the answer.</source>
        <translation>Der Inhaltsfilter von {who} hat die Antwort angehalten.</translation>
    </message>
    <message>
        <source>Rephrase the message.</source>
        <translation>Formulieren Sie die Nachricht um.</translation>
    </message>
    <message>
        <source>{who} did not accept the image: it says that this model sees none.</source>
        <translation>{who} hat das Bild nicht angenommen: Dieses Modell könne keine Bilder sehen.</translation>
    </message>
    <message>
        <source>Send the question without the image, or choose another model.</source>
        <translation>Senden Sie die Frage ohne das Bild, oder wählen Sie ein anderes Modell.</translation>
    </message>
    <message>
        <source>{who} sent more data than an answer may have, so the connection was closed.</source>
        <translation>{who} hat mehr Daten gesendet, als eine Antwort haben darf, deshalb wurde die Verbindung geschlossen.</translation>
    </message>
    <message>
        <source>Ask for a shorter answer, or choose another model.</source>
        <translation>Bitten Sie um eine kürzere Antwort, oder wählen Sie ein anderes Modell.</translation>
    </message>
    <message>
        <source>Set the base URL to the final address if you trust it.</source>
        <translation>Setzen Sie die Basis-URL auf die endgültige Adresse, wenn Sie ihr vertrauen.</translation>
    </message>
    <message>
        <source>There is no API key for {who}.</source>
        <translation>Es gibt keinen API-Schlüssel für {who}.</translation>
    </message>
    <message>
        <source>Set OPENAI_API_KEY and start ChatDesk again, or choose the offline model.</source>
        <translation>Setzen Sie OPENAI_API_KEY und starten Sie ChatDesk neu, oder wählen Sie das Offline-Modell.</translation>
    </message>
    <message>
        <source>The request to {who} failed.</source>
        <translation>Die Anfrage an {who} ist fehlgeschlagen.</translation>
    </message>
    <message>
        <source>{who} is overloaded at the moment.</source>
        <translation>{who} ist gerade überlastet.</translation>
    </message>
    <message>
        <source>{who} redirected the request in a circle, so ChatDesk gave up.</source>
        <translation>{who} hat die Anfrage im Kreis umgeleitet, deshalb hat ChatDesk aufgegeben.</translation>
    </message>
    <message>
        <source>Check the base URL, then try again.</source>
        <translation>Prüfen Sie die Basis-URL und versuchen Sie es dann erneut.</translation>
    </message>
    <message>
        <source>Check the clock of this computer; nothing is sent until this is solved.</source>
        <translation>Prüfen Sie die Uhr dieses Computers; bis dahin wird nichts gesendet.</translation>
    </message>
    <message>
        <source>Check the base URL and any proxy; nothing is sent until this is solved.</source>
        <translation>Prüfen Sie die Basis-URL und einen etwaigen Proxy; bis dahin wird nichts gesendet.</translation>
    </message>
    <message>
        <source>If it is your own server, name its certificate&apos;s file in Settings, Providers; nothing is sent until this is solved.</source>
        <translation>Wenn es Ihr eigener Server ist, geben Sie seine Zertifikatsdatei unter Einstellungen, Anbieter an; bis dahin wird nichts gesendet.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is signed by an authority that this computer does not trust.</source>
        <translation>Die Verbindung zu {who} ist nicht sicher: Das Zertifikat ist von einer Stelle signiert, der dieser Computer nicht vertraut.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is not valid yet.</source>
        <translation>Die Verbindung zu {who} ist nicht sicher: Das Zertifikat ist noch nicht gültig.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate has expired.</source>
        <translation>Die Verbindung zu {who} ist nicht sicher: Das Zertifikat ist abgelaufen.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is for another name.</source>
        <translation>Die Verbindung zu {who} ist nicht sicher: Das Zertifikat gilt für einen anderen Namen.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is for another address.</source>
        <translation>Die Verbindung zu {who} ist nicht sicher: Das Zertifikat gilt für eine andere Adresse.</translation>
    </message>
    <message numerus="yes">
        <source>{count} days</source>
        <comment>{count} day</comment>
        <translation>
            <numerusform>{count} Tag</numerusform>
            <numerusform>{count} Tage</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} hours</source>
        <comment>{count} hour</comment>
        <translation>
            <numerusform>{count} Stunde</numerusform>
            <numerusform>{count} Stunden</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} minutes</source>
        <comment>{count} minute</comment>
        <translation>
            <numerusform>{count} Minute</numerusform>
            <numerusform>{count} Minuten</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} seconds</source>
        <comment>{count} second</comment>
        <translation>
            <numerusform>{count} Sekunde</numerusform>
            <numerusform>{count} Sekunden</numerusform>
        </translation>
    </message>
    <message>
        <source>This computer slept while the answer was being written, and the connection was lost.</source>
        <translation>Dieser Computer war im Ruhezustand, während die Antwort geschrieben wurde, und die Verbindung ging verloren.</translation>
    </message>
    <message>
        <source>ChatDesk made a mistake while reading the answer.</source>
        <translation>ChatDesk hat beim Lesen der Antwort einen Fehler gemacht.</translation>
    </message>
    <message>
        <source>Try again; the log file has the details.</source>
        <translation>Versuchen Sie es erneut; die Protokolldatei enthält die Einzelheiten.</translation>
    </message>
    <message>
        <source>Check the base URL in Settings, Providers: for most servers it ends in /v1.</source>
        <translation>Prüfen Sie die Basis-URL unter Einstellungen, Anbieter: Bei den meisten Servern endet sie auf /v1.</translation>
    </message>
    <message>
        <source>It says: “{quoted}”{stop}</source>
        <translation>Die Meldung: „{quoted}“{stop}</translation>
    </message>
    <message>
        <source>Try again in {duration}.</source>
        <translation>Versuchen Sie es in {duration} erneut.</translation>
    </message>
    <message>
        <source>{model} was retired by the company that made it.</source>
        <translation>{model} wurde vom Hersteller eingestellt.</translation>
    </message>
    <message>
        <source>Choose another model; that company names {successor} in its place.</source>
        <translation>Wählen Sie ein anderes Modell; der Hersteller nennt {successor} als Nachfolger.</translation>
    </message>
    <message>
        <source>Choose another model; the nearest are {nearest}.</source>
        <translation>Wählen Sie ein anderes Modell; die ähnlichsten sind {nearest}.</translation>
    </message>
    <message>
        <source>Enter its key in Settings, Providers (OPENAI_API_KEY works for OpenAI), or choose the offline model.</source>
        <translation>Geben Sie den Schlüssel unter Einstellungen, Anbieter ein (für OpenAI genügt auch OPENAI_API_KEY), oder wählen Sie das Offline-Modell.</translation>
    </message>
    <message>
        <source>Correct it in the settings, then try again.</source>
        <translation>Berichtigen Sie es in den Einstellungen und versuchen Sie es dann erneut.</translation>
    </message>
    <message>
        <source>{what} Nothing was sent.</source>
        <translation>{what} Es wurde nichts gesendet.</translation>
    </message>
    <message>
        <source>{who} offers no model.</source>
        <translation>{who} bietet kein Modell an.</translation>
    </message>
    <message>
        <source>Install or load a model on the server, then try again.</source>
        <translation>Installieren oder laden Sie ein Modell auf dem Server und versuchen Sie es dann erneut.</translation>
    </message>
    <message>
        <source>This took too long.</source>
        <translation>Das hat zu lange gedauert.</translation>
    </message>
    <message numerus="yes">
        <source>{count} models are offered.</source>
        <comment>{count} model is offered.</comment>
        <translation>
            <numerusform>{count} Modell wird angeboten.</numerusform>
            <numerusform>{count} Modelle werden angeboten.</numerusform>
        </translation>
    </message>
    <message>
        <source>This server has no list of models; type their names.</source>
        <translation>Dieser Server hat keine Liste von Modellen; geben Sie die Namen ein.</translation>
    </message>
    <message>
        <source>No model to ask: choose one, then test again.</source>
        <translation>Kein Modell zum Fragen: Wählen Sie eines und testen Sie erneut.</translation>
    </message>
    <message>
        <source>The server offers no model.</source>
        <translation>Der Server bietet kein Modell an.</translation>
    </message>
    <message>
        <source>{model} streams its answer.</source>
        <translation>{model} sendet seine Antwort fortlaufend.</translation>
    </message>
    <message>
        <source>The server answers.</source>
        <translation>Der Server antwortet.</translation>
    </message>
    <message>
        <source>The connection is encrypted.</source>
        <translation>Die Verbindung ist verschlüsselt.</translation>
    </message>
    <message>
        <source>Not encrypted: the address is http.</source>
        <translation>Nicht verschlüsselt: Die Adresse ist http.</translation>
    </message>
    <message>
        <source>{status}: {sentence}</source>
        <translation>{status}: {sentence}</translation>
    </message>
    <message>
        <source>The key is accepted.</source>
        <translation>Der Schlüssel wird akzeptiert.</translation>
    </message>
    <message>
        <source>No key is needed.</source>
        <translation>Kein Schlüssel nötig.</translation>
    </message>
    <message>
        <source>{who} reached the length limit before it wrote any of the answer.</source>
        <translation>{who} hat das Längenlimit erreicht, bevor etwas von der Antwort geschrieben war.</translation>
    </message>
    <message>
        <source>{who} called a tool that it was not offered, and wrote no answer.</source>
        <translation>{who} hat ein Werkzeug aufgerufen, das nicht angeboten war, und keine Antwort geschrieben.</translation>
    </message>
    <message>
        <source>{switched_off} is switched off.</source>
        <translation>{switched_off} ist ausgeschaltet.</translation>
    </message>
    <message>
        <source>Switch it on in Settings, Providers, or choose another model.</source>
        <translation>Schalten Sie ihn unter Einstellungen, Anbieter ein, oder wählen Sie ein anderes Modell.</translation>
    </message>
    <message>
        <source>There is no provider called “{name}”.</source>
        <translation>Es gibt keinen Anbieter namens „{name}“.</translation>
    </message>
    <message>
        <source>Choose another model; the providers are: {known}.</source>
        <translation>Wählen Sie ein anderes Modell; die Anbieter sind: {known}.</translation>
    </message>
    <message>
        <source>{label} has no key yet.</source>
        <translation>{label} hat noch keinen Schlüssel.</translation>
    </message>
    <message>
        <source>{label} is switched off.</source>
        <translation>{label} ist ausgeschaltet.</translation>
    </message>
    <message numerus="yes">
        <source>{count} models</source>
        <comment>{count} model</comment>
        <translation>
            <numerusform>{count} Modell</numerusform>
            <numerusform>{count} Modelle</numerusform>
        </translation>
    </message>
    <message>
        <source>{label} answers and offers {number}.</source>
        <translation>{label} antwortet und bietet {number} an.</translation>
    </message>
    <message>
        <source>Your last message was cut off. Continue it exactly where it stops, in the middle of the word or line if need be. Do not repeat anything and do not add an introduction.</source>
        <translation>Deine letzte Nachricht wurde abgeschnitten. Setze sie genau dort fort, wo sie aufhört, notfalls mitten im Wort oder in der Zeile. Wiederhole nichts und füge keine Einleitung hinzu.</translation>
    </message>
    <message>
        <source>Looking further back would take long: only the newest part was searched.</source>
        <translation>Weiter zurück zu suchen würde lange dauern: Nur der neueste Teil wurde durchsucht.</translation>
    </message>
    <message>
        <source>The newest {most_ranked} matches were ranked; older ones follow.</source>
        <translation>Die neuesten {most_ranked} Treffer wurden nach Relevanz sortiert; ältere folgen.</translation>
    </message>
    <message>
        <source>Older messages are still being indexed: {percent} %.</source>
        <translation>Ältere Nachrichten werden noch indiziert: {percent} %.</translation>
    </message>
    <message>
        <source>Searching is not possible here: the search index is damaged. Your messages are not affected.</source>
        <translation>Suchen ist hier nicht möglich: Der Suchindex ist beschädigt. Ihre Nachrichten sind nicht betroffen.</translation>
    </message>
    <message>
        <source>The search index is damaged and is being rebuilt. Your messages are not affected; search again later.</source>
        <translation>Der Suchindex ist beschädigt und wird neu erstellt. Ihre Nachrichten sind nicht betroffen; suchen Sie später noch einmal.</translation>
    </message>
    <message>
        <source>That is not a place in these results.</source>
        <translation>Diese Stelle gibt es in diesen Ergebnissen nicht.</translation>
    </message>
    <message>
        <source>Search again.</source>
        <translation>Suchen Sie erneut.</translation>
    </message>
    <message>
        <source>Summarise long threads</source>
        <translation>Lange Unterhaltungen zusammenfassen</translation>
    </message>
    <message>
        <source>Older messages are sent as a summary. The messages themselves stay.</source>
        <translation>Ältere Nachrichten werden als Zusammenfassung gesendet. Die Nachrichten selbst bleiben.</translation>
    </message>
    <message>
        <source>Summaries</source>
        <translation>Zusammenfassungen</translation>
    </message>
    <message>
        <source>Summarise when the window is</source>
        <translation>Zusammenfassen, wenn das Fenster</translation>
    </message>
    <message>
        <source>% full</source>
        <translation>% voll ist</translation>
    </message>
    <message>
        <source>Summarise idle threads ahead</source>
        <translation>Ruhende Unterhaltungen vorab zusammenfassen</translation>
    </message>
    <message>
        <source>So that your next question does not wait.</source>
        <translation>Damit Ihre nächste Frage nicht warten muss.</translation>
    </message>
    <message>
        <source>Never</source>
        <translation>Nie</translation>
    </message>
    <message>
        <source>Every night at 3:00</source>
        <translation>Jede Nacht um 3:00</translation>
    </message>
    <message>
        <source>Every day at 12:00</source>
        <translation>Jeden Tag um 12:00</translation>
    </message>
    <message>
        <source>Every Sunday at 3:00</source>
        <translation>Jeden Sonntag um 3:00</translation>
    </message>
    <message>
        <source>Every hour</source>
        <translation>Jede Stunde</translation>
    </message>
    <message>
        <source>Titles of new threads</source>
        <translation>Titel neuer Unterhaltungen</translation>
    </message>
    <message>
        <source>Titles</source>
        <translation>Titel</translation>
    </message>
    <message>
        <source>Written by the model</source>
        <translation>Vom Modell geschrieben</translation>
    </message>
    <message>
        <source>The start of the question</source>
        <translation>Der Anfang der Frage</translation>
    </message>
    <message>
        <source>Limit for titles and summaries</source>
        <translation>Limit für Titel und Zusammenfassungen</translation>
    </message>
    <message>
        <source>tokens a day</source>
        <translation>Token pro Tag</translation>
    </message>
    <message>
        <source>No limit</source>
        <translation>Kein Limit</translation>
    </message>
    <message>
        <source>Ask before a summary costs more than</source>
        <translation>Fragen, bevor eine Zusammenfassung mehr kostet als</translation>
    </message>
    <message>
        <source>US dollars</source>
        <translation>US-Dollar</translation>
    </message>
    <message>
        <source>Never ask</source>
        <translation>Nie fragen</translation>
    </message>
    <message>
        <source>Ask before a summary takes more than</source>
        <translation>Fragen, bevor eine Zusammenfassung mehr braucht als</translation>
    </message>
    <message>
        <source>tokens</source>
        <translation>Token</translation>
    </message>
    <message>
        <source>it must be true or false</source>
        <translation>es muss true oder false sein</translation>
    </message>
    <message>
        <source>it must be a number</source>
        <translation>es muss eine Zahl sein</translation>
    </message>
    <message>
        <source>it must be text</source>
        <translation>es muss Text sein</translation>
    </message>
    <message>
        <source>it must be one of {choices}</source>
        <translation>es muss einer dieser Werte sein: {choices}</translation>
    </message>
    <message>
        <source>it must be text without control characters</source>
        <translation>es muss Text ohne Steuerzeichen sein</translation>
    </message>
    <message>
        <source>it must be one line</source>
        <translation>es darf nur eine Zeile sein</translation>
    </message>
    <message>
        <source>it must be at least {minimum}</source>
        <translation>es muss mindestens {minimum} sein</translation>
    </message>
    <message>
        <source>it must be at most {maximum}</source>
        <translation>es darf höchstens {maximum} sein</translation>
    </message>
    <message>
        <source>it must be a whole number</source>
        <translation>es muss eine ganze Zahl sein</translation>
    </message>
    <message>
        <source>it must be a table of names and texts, such as {&quot;X-Team&quot; = &quot;blue&quot;}</source>
        <translation>es muss eine Tabelle aus Namen und Texten sein, etwa {&quot;X-Team&quot; = &quot;blue&quot;}</translation>
    </message>
    <message>
        <source>names and values must be text</source>
        <translation>Namen und Werte müssen Text sein</translation>
    </message>
    <message>
        <source>a name has letters, digits, dots and hyphens only</source>
        <translation>ein Name hat nur Buchstaben, Ziffern, Punkte und Bindestriche</translation>
    </message>
    <message>
        <source>a value must be one line</source>
        <translation>ein Wert darf nur eine Zeile haben</translation>
    </message>
    <message>
        <source>each line must look like &apos;Name: value&apos;</source>
        <translation>jede Zeile muss die Form &apos;Name: Wert&apos; haben</translation>
    </message>
    <message>
        <source>it must be a provider and a model, such as openai/gpt-5.4-mini</source>
        <translation>es muss ein Anbieter und ein Modell sein, etwa openai/gpt-5.4-mini</translation>
    </message>
    <message>
        <source>it must begin with https:// or http:// and name a server</source>
        <translation>es muss mit https:// oder http:// beginnen und einen Server nennen</translation>
    </message>
    <message>
        <source>it must not contain a password; use the keyring or OPENAI_API_KEY</source>
        <translation>es darf kein Passwort enthalten; verwenden Sie den Schlüsselbund oder OPENAI_API_KEY</translation>
    </message>
    <message>
        <source>The file of {subject} {path} is damaged; it is kept under another name when it is read next.</source>
        <translation>Die Datei {path} ({subject}) ist beschädigt; beim nächsten Lesen wird sie unter einem anderen Namen aufbewahrt.</translation>
    </message>
    <message>
        <source>The file of {subject} {path} was written by a newer ChatDesk. What is known of it is used, and it is left as it is.</source>
        <translation>Die Datei {path} ({subject}) stammt aus einer neueren ChatDesk-Version. Was davon bekannt ist, wird verwendet; sie selbst bleibt unverändert.</translation>
    </message>
    <message>
        <source>The file of {subject} {path} cannot be read ({strerror}).</source>
        <translation>Die Datei {path} ({subject}) kann nicht gelesen werden ({strerror}).</translation>
    </message>
    <message>
        <source>The file of {subject} {path} is damaged and was left as it is.</source>
        <translation>Die Datei {path} ({subject}) ist beschädigt und wurde nicht verändert.</translation>
    </message>
    <message>
        <source>The file of {subject} {path} is damaged; it is kept as {name}. Set the {subject} up again.</source>
        <translation>Die Datei {path} ({subject}) ist beschädigt; sie ist als {name} erhalten. Richten Sie es neu ein.</translation>
    </message>
    <message>
        <source>The passphrase does not open the file of keys.</source>
        <translation>Die Passphrase öffnet die Schlüsseldatei nicht.</translation>
    </message>
    <message>
        <source>The keys are unchanged.</source>
        <translation>Die Schlüssel sind unverändert.</translation>
    </message>
    <message>
        <source>The file of keys cannot be read or written.</source>
        <translation>Die Schlüsseldatei kann weder gelesen noch geschrieben werden.</translation>
    </message>
    <message>
        <source>It was left as it is; keys hold until ChatDesk closes.</source>
        <translation>Sie wurde nicht verändert; Schlüssel gelten, bis ChatDesk geschlossen wird.</translation>
    </message>
    <message>
        <source>Type it again; capital letters count. Without it, the keys have to be entered again.</source>
        <translation>Geben Sie sie erneut ein; Groß- und Kleinschreibung zählt. Ohne sie müssen die Schlüssel neu eingegeben werden.</translation>
    </message>
    <message>
        <source>Check the configuration directory, or delete the file keys.encrypted.json and enter the keys again.</source>
        <translation>Prüfen Sie das Konfigurationsverzeichnis, oder löschen Sie die Datei keys.encrypted.json und geben Sie die Schlüssel neu ein.</translation>
    </message>
    <message>
        <source>The file of keys has not been opened in this run.</source>
        <translation>Die Schlüsseldatei wurde seit dem Start nicht geöffnet.</translation>
    </message>
    <message>
        <source>The keys in it are unchanged.</source>
        <translation>Die Schlüssel darin sind unverändert.</translation>
    </message>
    <message>
        <source>Enter its passphrase in Settings, Providers.</source>
        <translation>Geben Sie ihre Passphrase unter Einstellungen, Anbieter ein.</translation>
    </message>
    <message>
        <source>There is a file of keys already.</source>
        <translation>Es gibt schon eine Schlüsseldatei.</translation>
    </message>
    <message>
        <source>Enter its passphrase.</source>
        <translation>Geben Sie ihre Passphrase ein.</translation>
    </message>
    <message>
        <source>Straight rows of keys are easy to guess.</source>
        <translation>Gerade Tastenreihen sind leicht zu erraten.</translation>
    </message>
    <message>
        <source>Short keyboard patterns are easy to guess.</source>
        <translation>Kurze Tastenmuster sind leicht zu erraten.</translation>
    </message>
    <message>
        <source>Repeats like &quot;aaa&quot; are easy to guess.</source>
        <translation>Wiederholungen wie „aaa“ sind leicht zu erraten.</translation>
    </message>
    <message>
        <source>Repeats like &quot;abcabcabc&quot; are only slightly harder to guess than &quot;abc&quot;.</source>
        <translation>Wiederholungen wie „abcabcabc“ sind kaum schwerer zu erraten als „abc“.</translation>
    </message>
    <message>
        <source>Sequences like &quot;abc&quot; or &quot;6543&quot; are easy to guess.</source>
        <translation>Folgen wie „abc“ oder „6543“ sind leicht zu erraten.</translation>
    </message>
    <message>
        <source>Recent years are easy to guess.</source>
        <translation>Jahreszahlen der letzten Zeit sind leicht zu erraten.</translation>
    </message>
    <message>
        <source>Dates are often easy to guess.</source>
        <translation>Datumsangaben sind oft leicht zu erraten.</translation>
    </message>
    <message>
        <source>This is a top-10 common password.</source>
        <translation>Das ist eines der 10 häufigsten Passwörter.</translation>
    </message>
    <message>
        <source>This is a top-100 common password.</source>
        <translation>Das ist eines der 100 häufigsten Passwörter.</translation>
    </message>
    <message>
        <source>This is a very common password.</source>
        <translation>Das ist ein sehr häufiges Passwort.</translation>
    </message>
    <message>
        <source>This is similar to a commonly used password.</source>
        <translation>Das ähnelt einem häufig benutzten Passwort.</translation>
    </message>
    <message>
        <source>A word by itself is easy to guess.</source>
        <translation>Ein einzelnes Wort ist leicht zu erraten.</translation>
    </message>
    <message>
        <source>Names and surnames by themselves are easy to guess.</source>
        <translation>Vor- und Nachnamen allein sind leicht zu erraten.</translation>
    </message>
    <message>
        <source>Common names and surnames are easy to guess.</source>
        <translation>Häufige Vor- und Nachnamen sind leicht zu erraten.</translation>
    </message>
    <message>
        <source>A new passphrase: four words or more</source>
        <translation>Eine neue Passphrase: vier Wörter oder mehr</translation>
    </message>
    <message>
        <source>This passphrase is easy to guess.</source>
        <translation>Diese Passphrase ist leicht zu erraten.</translation>
    </message>
    <message>
        <source>Four or five words that do not belong together are easy to remember and hard to guess.</source>
        <translation>Vier oder fünf Wörter, die nicht zusammengehören, sind leicht zu merken und schwer zu erraten.</translation>
    </message>
    <message>
        <source>A passphrase of blanks guards nothing.</source>
        <translation>Eine Passphrase aus Leerzeichen schützt nichts.</translation>
    </message>
    <message>
        <source>Any OpenAI-compatible address.</source>
        <translation>Jede OpenAI-kompatible Adresse.</translation>
    </message>
    <message>
        <source>Own server</source>
        <translation>Eigener Server</translation>
    </message>
    <message>
        <source>Enter the name of your resource in the address. Models are your deployments.</source>
        <translation>Geben Sie den Namen Ihrer Ressource in der Adresse ein. Modelle sind Ihre Bereitstellungen.</translation>
    </message>
    <message>
        <source>The providers could not be saved.</source>
        <translation>Die Anbieter konnten nicht gespeichert werden.</translation>
    </message>
    <message>
        <source>The old file is unchanged; the change applies until ChatDesk closes.</source>
        <translation>Die alte Datei ist unverändert; die Änderung gilt, bis ChatDesk geschlossen wird.</translation>
    </message>
    <message>
        <source>Check the permissions and the free space of the configuration directory.</source>
        <translation>Prüfen Sie Rechte und freien Speicherplatz des Konfigurationsverzeichnisses.</translation>
    </message>
    <message>
        <source>providers</source>
        <translation>Anbieter</translation>
    </message>
    <message>
        <source>The file of providers was written by a newer ChatDesk.</source>
        <translation>Die Anbieterdatei stammt aus einer neueren ChatDesk-Version.</translation>
    </message>
    <message>
        <source>Update ChatDesk to change it.</source>
        <translation>Aktualisieren Sie ChatDesk, um sie zu ändern.</translation>
    </message>
    <message>
        <source>The file of providers {path} could not be written.</source>
        <translation>Die Anbieterdatei {path} konnte nicht geschrieben werden.</translation>
    </message>
    <message numerus="yes">
        <source>{count} providers were left out: its entry in providers.json cannot be used.</source>
        <comment>{count} provider was left out: its entry in providers.json cannot be used.</comment>
        <translation>
            <numerusform>{count} Anbieter wurde weggelassen: Der Eintrag in providers.json kann nicht verwendet werden.</numerusform>
            <numerusform>{count} Anbieter wurden weggelassen: Die Einträge in providers.json können nicht verwendet werden.</numerusform>
        </translation>
    </message>
    <message>
        <source>New threads use</source>
        <translation>Neue Unterhaltungen verwenden</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>Modelle</translation>
    </message>
    <message>
        <source>The first provider that is ready</source>
        <translation>Den ersten Anbieter, der bereit ist</translation>
    </message>
    <message>
        <source>The offline demo</source>
        <translation>Die Offline-Demo</translation>
    </message>
    <message>
        <source>Address of OpenAI</source>
        <translation>Adresse von OpenAI</translation>
    </message>
    <message>
        <source>Model of new threads</source>
        <translation>Modell neuer Unterhaltungen</translation>
    </message>
    <message>
        <source>The provider&apos;s own choice</source>
        <translation>Eigene Wahl des Anbieters</translation>
    </message>
    <message>
        <source>Headers for OpenAI</source>
        <translation>Header für OpenAI</translation>
    </message>
    <message>
        <source>Model for titles and summaries</source>
        <translation>Modell für Titel und Zusammenfassungen</translation>
    </message>
    <message>
        <source>The thread&apos;s own model</source>
        <translation>Das Modell der Unterhaltung</translation>
    </message>
    <message>
        <source>Let models draw with their vendor&apos;s image tool</source>
        <translation>Modelle mit dem Bildwerkzeug ihres Anbieters zeichnen lassen</translation>
    </message>
    <message>
        <source>Responses protocol only; no limit sees what drawing costs.</source>
        <translation>Nur mit dem Responses-Protokoll; kein Limit berücksichtigt, was das Zeichnen kostet.</translation>
    </message>
    <message>
        <source>Model for pictures</source>
        <translation>Modell für Bilder</translation>
    </message>
    <message>
        <source>Offered where a model sees none.</source>
        <translation>Wird angeboten, wenn ein Modell keine Bilder sieht.</translation>
    </message>
    <message>
        <source>None</source>
        <translation>Ohne</translation>
    </message>
    <message>
        <source>Longest answer</source>
        <translation>Maximale Antwortlänge</translation>
    </message>
    <message>
        <source>The model&apos;s own limit</source>
        <translation>Limit des Modells</translation>
    </message>
    <message>
        <source>Keep the start of a thread for</source>
        <translation>Anfang einer Unterhaltung behalten für</translation>
    </message>
    <message>
        <source>Makes follow-up questions to Claude cheaper.</source>
        <translation>Macht Folgefragen an Claude günstiger.</translation>
    </message>
    <message>
        <source>5 minutes</source>
        <translation>5 Minuten</translation>
    </message>
    <message>
        <source>1 hour</source>
        <translation>1 Stunde</translation>
    </message>
    <message>
        <source>Do not keep it</source>
        <translation>Nicht behalten</translation>
    </message>
    <message>
        <source>Wait for a connection</source>
        <translation>Auf eine Verbindung warten</translation>
    </message>
    <message>
        <source>Slow servers</source>
        <translation>Langsame Server</translation>
    </message>
    <message>
        <source>seconds</source>
        <translation>Sekunden</translation>
    </message>
    <message>
        <source>Wait for an answer to begin</source>
        <translation>Auf den Beginn einer Antwort warten</translation>
    </message>
    <message>
        <source>Servers on this computer and in the local network get ten times as long.</source>
        <translation>Server auf diesem Computer und im lokalen Netz bekommen zehnmal so viel Zeit.</translation>
    </message>
    <message>
        <source>Wait when an answer pauses</source>
        <translation>Warten, wenn eine Antwort stockt</translation>
    </message>
    <message>
        <source>When you are offline</source>
        <translation>Wenn Sie offline sind</translation>
    </message>
    <message>
        <source>Wait until you try again</source>
        <translation>Warten, bis Sie es erneut versuchen</translation>
    </message>
    <message>
        <source>Send once you are online</source>
        <translation>Senden, sobald Sie online sind</translation>
    </message>
    <message>
        <source>When you close the window during an answer</source>
        <translation>Wenn Sie das Fenster während einer Antwort schließen</translation>
    </message>
    <message>
        <source>Stop, and continue it later</source>
        <translation>Anhalten und später fortsetzen</translation>
    </message>
    <message>
        <source>Finish it first</source>
        <translation>Zuerst fertigstellen</translation>
    </message>
    <message>
        <source>Speed of the offline demo</source>
        <translation>Tempo der Offline-Demo</translation>
    </message>
    <message>
        <source>tokens/s</source>
        <translation>Token/s</translation>
    </message>
    <message>
        <source>Instructions for all threads</source>
        <translation>Anweisungen für alle Unterhaltungen</translation>
    </message>
    <message>
        <source>A project or thread with its own instructions uses those instead.</source>
        <translation>Ein Projekt oder eine Unterhaltung mit eigenen Anweisungen verwendet stattdessen diese.</translation>
    </message>
    <message>
        <source>Writing</source>
        <translation>Schreiben</translation>
    </message>
    <message>
        <source>For example: answer briefly, in British English.</source>
        <translation>Zum Beispiel: Antworte kurz und auf Deutsch.</translation>
    </message>
    <message>
        <source>custom instructions system prompt personality</source>
        <translation>eigene Anweisungen Systemprompt Persönlichkeit</translation>
    </message>
    <message>
        <source>Send at most</source>
        <translation>Höchstens senden</translation>
    </message>
    <message>
        <source>For example 20/min or 200/day. Further messages wait their turn.</source>
        <translation>Zum Beispiel 20/min oder 200/day. Weitere Nachrichten warten, bis sie an der Reihe sind.</translation>
    </message>
    <message>
        <source>rate</source>
        <translation>Rate</translation>
    </message>
    <message>
        <source>Send at most, by provider and project</source>
        <translation>Höchstens senden, nach Anbieter und Projekt</translation>
    </message>
    <message>
        <source>Longest message</source>
        <translation>Maximale Länge einer Nachricht</translation>
    </message>
    <message>
        <source>Largest attached file</source>
        <translation>Maximale Größe eines Anhangs</translation>
    </message>
    <message>
        <source>Most files in a message</source>
        <translation>Maximale Dateizahl einer Nachricht</translation>
    </message>
    <message>
        <source>files</source>
        <translation>Dateien</translation>
    </message>
    <message>
        <source>Largest size of all files in a message</source>
        <translation>Maximale Gesamtgröße der Dateien einer Nachricht</translation>
    </message>
    <message>
        <source>Largest size of all files in a day</source>
        <translation>Maximale Gesamtgröße der Dateien eines Tages</translation>
    </message>
    <message>
        <source>Kinds of files kept out</source>
        <translation>Nicht zugelassene Dateiarten</translation>
    </message>
    <message>
        <source>Such as video/*, application/zip.</source>
        <translation>Zum Beispiel video/*, application/zip.</translation>
    </message>
    <message>
        <source>Empty the trash after</source>
        <translation>Papierkorb leeren nach</translation>
    </message>
    <message>
        <source>Trash and archive</source>
        <translation>Papierkorb und Archiv</translation>
    </message>
    <message>
        <source>days</source>
        <translation>Tagen</translation>
    </message>
    <message>
        <source>deleted retention</source>
        <translation>gelöscht Aufbewahrung</translation>
    </message>
    <message>
        <source>Move archived threads to the trash after</source>
        <translation>Archivierte Unterhaltungen in den Papierkorb nach</translation>
    </message>
    <message>
        <source>Keep a backup of each day for</source>
        <translation>Tägliche Sicherungen löschen nach</translation>
    </message>
    <message>
        <source>Backups</source>
        <translation>Sicherungen</translation>
    </message>
    <message>
        <source>Before that, one of each week for</source>
        <translation>Davor eine jeder Woche behalten für</translation>
    </message>
    <message>
        <source>weeks</source>
        <translation>Wochen</translation>
    </message>
    <message>
        <source>Notify about others&apos; messages</source>
        <translation>Über Nachrichten anderer benachrichtigen</translation>
    </message>
    <message>
        <source>Only while the window is not in front.</source>
        <translation>Nur wenn das Fenster nicht vorn ist.</translation>
    </message>
    <message>
        <source>With name and thread</source>
        <translation>Mit Name und Unterhaltung</translation>
    </message>
    <message>
        <source>With name, thread and text</source>
        <translation>Mit Name, Unterhaltung und Text</translation>
    </message>
    <message>
        <source>Detail of the log file</source>
        <translation>Ausführlichkeit der Protokolldatei</translation>
    </message>
    <message>
        <source>From the next start on.</source>
        <translation>Ab dem nächsten Start.</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>Protokoll</translation>
    </message>
    <message>
        <source>Everything</source>
        <translation>Alles</translation>
    </message>
    <message>
        <source>Normal</source>
        <translation>Normal</translation>
    </message>
    <message>
        <source>Warnings and failures</source>
        <translation>Warnungen und Fehler</translation>
    </message>
    <message>
        <source>Failures only</source>
        <translation>Nur Fehler</translation>
    </message>
    <message>
        <source>Virus scanner (clamd)</source>
        <translation>Virenscanner (clamd)</translation>
    </message>
    <message>
        <source>Its socket, such as /run/clamav/clamd.ctl, or host:port.</source>
        <translation>Sein Socket, etwa /run/clamav/clamd.ctl, oder host:port.</translation>
    </message>
    <message>
        <source>Attached files</source>
        <translation>Angehängte Dateien</translation>
    </message>
    <message>
        <source>When the scanner does not answer</source>
        <translation>Wenn der Scanner nicht antwortet</translation>
    </message>
    <message>
        <source>Keep files out</source>
        <translation>Dateien nicht übernehmen</translation>
    </message>
    <message>
        <source>Let files in</source>
        <translation>Dateien übernehmen</translation>
    </message>
    <message>
        <source>The key could not be put into the system&apos;s keyring.</source>
        <translation>Der Schlüssel konnte nicht im Schlüsselbund des Systems abgelegt werden.</translation>
    </message>
    <message>
        <source>It is used until ChatDesk closes and was not written to any file.</source>
        <translation>Er wird verwendet, bis ChatDesk geschlossen wird, und wurde in keine Datei geschrieben.</translation>
    </message>
    <message>
        <source>Unlock or install a keyring, or choose the encrypted file in Settings, Providers.</source>
        <translation>Entsperren oder installieren Sie einen Schlüsselbund, oder wählen Sie die verschlüsselte Datei unter Einstellungen, Anbieter.</translation>
    </message>
    <message>
        <source>The keyring did not answer; it may be locked or waiting for a password.</source>
        <translation>Der Schlüsselbund hat nicht geantwortet; vielleicht ist er gesperrt oder wartet auf ein Passwort.</translation>
    </message>
    <message>
        <source>no answer within {timeout_s} s</source>
        <translation>keine Antwort innerhalb von {timeout_s} s</translation>
    </message>
    <message>
        <source>There is no keyring on this system.</source>
        <translation>Auf diesem System gibt es keinen Schlüsselbund.</translation>
    </message>
    <message>
        <source>The keyring is locked.</source>
        <translation>Der Schlüsselbund ist gesperrt.</translation>
    </message>
    <message>
        <source>The keyring failed ({name}).</source>
        <translation>Der Zugriff auf den Schlüsselbund ist fehlgeschlagen ({name}).</translation>
    </message>
    <message>
        <source>Let other programs use ChatDesk</source>
        <translation>Andere Programme ChatDesk benutzen lassen</translation>
    </message>
    <message>
        <source>Port</source>
        <translation>Port</translation>
    </message>
    <message>
        <source>The window and chatdesk serve listen on it.</source>
        <translation>Das Fenster und chatdesk serve lauschen darauf.</translation>
    </message>
    <message>
        <source>on this computer</source>
        <translation>auf diesem Computer</translation>
    </message>
    <message>
        <source>Any that is free</source>
        <translation>Irgendein freier</translation>
    </message>
    <message>
        <source>api http rest</source>
        <translation>api http rest</translation>
    </message>
    <message>
        <source>Also listen on</source>
        <translation>Auch lauschen auf</translation>
    </message>
    <message>
        <source>For example 192.168.1.5:8443. Needs a certificate.</source>
        <translation>Zum Beispiel 192.168.1.5:8443. Braucht ein Zertifikat.</translation>
    </message>
    <message>
        <source>Nothing</source>
        <translation>Nichts</translation>
    </message>
    <message>
        <source>Certificate</source>
        <translation>Zertifikat</translation>
    </message>
    <message>
        <source>A PEM file.</source>
        <translation>Eine PEM-Datei.</translation>
    </message>
    <message>
        <source>Key of the certificate</source>
        <translation>Schlüssel des Zertifikats</translation>
    </message>
    <message>
        <source>A PEM file without a passphrase.</source>
        <translation>Eine PEM-Datei ohne Passphrase.</translation>
    </message>
    <message>
        <source>Let web pages of these origins ask</source>
        <translation>Webseiten dieser Ursprünge fragen lassen</translation>
    </message>
    <message>
        <source>For example https://tool.example. Each page still needs a token.</source>
        <translation>Zum Beispiel https://tool.example. Jede Seite braucht trotzdem ein Token.</translation>
    </message>
    <message>
        <source>cors origin browser website</source>
        <translation>cors Ursprung Browser Website</translation>
    </message>
    <message>
        <source>The settings could not be saved.</source>
        <translation>Die Einstellungen konnten nicht gespeichert werden.</translation>
    </message>
    <message>
        <source>The old settings file is unchanged; the new settings hold until ChatDesk closes.</source>
        <translation>Die alte Einstellungsdatei ist unverändert; die neuen Einstellungen gelten, bis ChatDesk geschlossen wird.</translation>
    </message>
    <message>
        <source>{key} in the settings file</source>
        <translation>{key} in der Einstellungsdatei</translation>
    </message>
    <message>
        <source>{key} cannot be set: {error}.</source>
        <translation>{key} kann nicht gesetzt werden: {error}.</translation>
    </message>
    <message>
        <source>The settings file {path} could not be written.</source>
        <translation>Die Einstellungsdatei {path} konnte nicht geschrieben werden.</translation>
    </message>
    <message>
        <source>The settings file {path} cannot be read ({strerror}). Defaults are used; the file is unchanged.</source>
        <translation>Die Einstellungsdatei {path} kann nicht gelesen werden ({strerror}). Es gelten die Vorgaben; die Datei ist unverändert.</translation>
    </message>
    <message>
        <source>The settings file {path} is empty. Defaults are used; delete it if that is meant.</source>
        <translation>Die Einstellungsdatei {path} ist leer. Es gelten die Vorgaben; löschen Sie sie, wenn das so sein soll.</translation>
    </message>
    <message>
        <source>kept as {name}</source>
        <translation>als {name} erhalten</translation>
    </message>
    <message>
        <source>left as it is</source>
        <translation>unverändert geblieben</translation>
    </message>
    <message>
        <source>The settings file {path} is damaged. Defaults are used; the damaged file is {where}.</source>
        <translation>Die Einstellungsdatei {path} ist beschädigt. Es gelten die Vorgaben; die beschädigte Datei ist {where}.</translation>
    </message>
    <message>
        <source>Steps of an answer</source>
        <translation>Schritte einer Antwort</translation>
    </message>
    <message>
        <source>Limits</source>
        <translation>Limits</translation>
    </message>
    <message>
        <source>requests to the model</source>
        <translation>Anfragen an das Modell</translation>
    </message>
    <message>
        <source>Time for an answer</source>
        <translation>Zeit für eine Antwort</translation>
    </message>
    <message>
        <source>minutes</source>
        <translation>Minuten</translation>
    </message>
    <message>
        <source>Time for a call</source>
        <translation>Zeit für einen Aufruf</translation>
    </message>
    <message>
        <source>Time for a server to start</source>
        <translation>Zeit für den Start eines Servers</translation>
    </message>
    <message>
        <source>Cost of an answer</source>
        <translation>Kosten einer Antwort</translation>
    </message>
    <message>
        <source>No limit of its own</source>
        <translation>Kein eigenes Limit</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>Design</translation>
    </message>
    <message>
        <source>Look</source>
        <translation>Aussehen</translation>
    </message>
    <message>
        <source>colours colors dark mode appearance</source>
        <translation>Farben dunkel Dunkelmodus Erscheinungsbild</translation>
    </message>
    <message>
        <source>Same as the system</source>
        <translation>Wie das System</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Hell</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Dunkel</translation>
    </message>
    <message>
        <source>Light, high contrast</source>
        <translation>Hell, hoher Kontrast</translation>
    </message>
    <message>
        <source>Dark, high contrast</source>
        <translation>Dunkel, hoher Kontrast</translation>
    </message>
    <message>
        <source>tour, help</source>
        <translation>tour, rundgang, hilfe, was kann, was ist chatdesk</translation>
    </message>
    <message numerus="yes">
        <source>With your message I got these {count} files:</source>
        <comment>With your message I got this:</comment>
        <translation>
            <numerusform>Mit Ihrer Nachricht habe ich das hier bekommen:</numerusform>
            <numerusform>Mit Ihrer Nachricht habe ich diese {count} Dateien bekommen:</numerusform>
        </translation>
    </message>
    <message>
        <source>{name}, an image of {size} pixels</source>
        <translation>{name}, ein Bild mit {size} Pixeln</translation>
    </message>
    <message>
        <source>{name}, a file of {bytes} bytes ({kind}), of which the beginning and the end fit</source>
        <translation>{name}, eine Datei mit {bytes} Bytes ({kind}), von der Anfang und Ende hineinpassen</translation>
    </message>
    <message>
        <source>{name}, a file of {bytes} bytes ({kind})</source>
        <translation>{name}, eine Datei mit {bytes} Bytes ({kind})</translation>
    </message>
    <message>
        <source>You wrote nothing.</source>
        <translation>Sie haben nichts geschrieben.</translation>
    </message>
    <message>
        <source>You wrote: {question}</source>
        <translation>Sie haben geschrieben: {question}</translation>
    </message>
    <message>
        <source>A small function, and how to call it:</source>
        <translation>Eine kleine Funktion und ihr Aufruf:</translation>
    </message>
    <message>
        <source>The `dict` keeps the order in which words were first seen.</source>
        <translation>Das `dict` behält die Reihenfolge, in der die Wörter zuerst vorkamen.</translation>
    </message>
    <message>
        <source>in the application</source>
        <translation>in der Anwendung</translation>
    </message>
    <message>
        <source>on a server</source>
        <translation>auf einem Server</translation>
    </message>
    <message>
        <source>Runs</source>
        <translation>Läuft</translation>
    </message>
    <message>
        <source>Good for</source>
        <translation>Gut für</translation>
    </message>
    <message>
        <source>First release</source>
        <translation>Erste Version</translation>
    </message>
    <message>
        <source>one computer, one file</source>
        <translation>ein Computer, eine Datei</translation>
    </message>
    <message>
        <source>many people at once</source>
        <translation>viele Leute zugleich</translation>
    </message>
    <message>
        <source>analysing large tables</source>
        <translation>Auswertung großer Tabellen</translation>
    </message>
    <message>
        <source>**Say what you want.** One sentence is enough.</source>
        <translation>**Sagen, was man will.** Ein Satz genügt.</translation>
    </message>
    <message>
        <source>**Collect what you have.**</source>
        <translation>**Sammeln, was man hat.**</translation>
    </message>
    <message>
        <source>notes</source>
        <translation>Notizen</translation>
    </message>
    <message>
        <source>examples</source>
        <translation>Beispiele</translation>
    </message>
    <message>
        <source>open questions</source>
        <translation>offene Fragen</translation>
    </message>
    <message>
        <source>**Try the smallest thing that could work**, then look at it again.</source>
        <translation>**Das Kleinste ausprobieren, das funktionieren könnte**, und es dann noch einmal ansehen.</translation>
    </message>
    <message>
        <source>question asked</source>
        <translation>Frage gestellt</translation>
    </message>
    <message>
        <source>answer checked</source>
        <translation>Antwort geprüft</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>Schritte</translation>
    </message>
    <message>
        <source>With {first} and {second}, the two roots of {equation} are $a$ and $b$ themselves:</source>
        <translation>Mit {first} und {second} sind die beiden Lösungen von {equation} gerade $a$ und $b$:</translation>
    </message>
    <message>
        <source>Mathematics</source>
        <translation>Mathematik</translation>
    </message>
    <message>
        <source>The sum of the first $n$ whole numbers is {total}.</source>
        <translation>Die Summe der ersten $n$ ganzen Zahlen ist {total}.</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>Sprache</translation>
    </message>
    <message>
        <source>Hello</source>
        <translation>Hallo</translation>
    </message>
    <message>
        <source>Thank you</source>
        <translation>Danke</translation>
    </message>
    <message>
        <source>Translation</source>
        <translation>Übersetzung</translation>
    </message>
    <message>
        <source>A real model would translate your own sentence.</source>
        <translation>Ein echtes Modell würde Ihren eigenen Satz übersetzen.</translation>
    </message>
    <message>
        <source>An explanation comes with **bold** and *italic* words, with [links](https://example.org) and with quotations:</source>
        <translation>Eine Erklärung hat **fette** und *kursive* Wörter, [Links](https://example.org) und Zitate:</translation>
    </message>
    <message>
        <source>A good explanation is one that lets you predict what happens next.</source>
        <translation>Eine gute Erklärung lässt einen voraussagen, was als Nächstes geschieht.</translation>
    </message>
    <message>
        <source>**What it is for** comes first.</source>
        <translation>**Wozu es da ist** kommt zuerst.</translation>
    </message>
    <message>
        <source>**How it works** follows, part by part.</source>
        <translation>**Wie es funktioniert** folgt, Teil für Teil.</translation>
    </message>
    <message>
        <source>**Where it ends** closes it.</source>
        <translation>**Wo es endet** bildet den Schluss.</translation>
    </message>
    <message>
        <source>Explanation</source>
        <translation>Erklärung</translation>
    </message>
    <message>
        <source>Your message has **{words} words** and {characters} characters.</source>
        <translation>Ihre Nachricht hat **{words} Wörter** und {characters} Zeichen.</translation>
    </message>
    <message>
        <source>In short</source>
        <translation>Kurz gesagt</translation>
    </message>
    <message>
        <source>hello, good morning</source>
        <translation>hallo, guten morgen, guten tag, guten abend, servus, moin</translation>
    </message>
    <message>
        <source>code, function, program</source>
        <translation>code, funktion, programm, skript, python</translation>
    </message>
    <message>
        <source>table, compare</source>
        <translation>tabelle, vergleich</translation>
    </message>
    <message>
        <source>list, steps, plan, ideas</source>
        <translation>liste, schritt, plan, idee, wie kann ich</translation>
    </message>
    <message>
        <source>mathematics, formula, calculate</source>
        <translation>mathe, formel, gleichung, rechne, berechne</translation>
    </message>
    <message>
        <source>translate, translation</source>
        <translation>übersetz</translation>
    </message>
    <message>
        <source>explain, why, what is</source>
        <translation>erklär, warum, wieso, was ist, was sind</translation>
    </message>
    <message>
        <source>summary, summarise</source>
        <translation>zusammenfass, fasse, kurz gesagt</translation>
    </message>
    <message>
        <source>Changes when ChatDesk starts again.</source>
        <translation>Ändert sich beim nächsten Start von ChatDesk.</translation>
    </message>
    <message>
        <source>translation locale</source>
        <translation>Übersetzung Gebietsschema</translation>
    </message>
    <message>
        <source>Text size</source>
        <translation>Textgröße</translation>
    </message>
    <message>
        <source>font zoom</source>
        <translation>Schrift Zoom</translation>
    </message>
    <message>
        <source>Room for fingers</source>
        <translation>Platz für Finger</translation>
    </message>
    <message>
        <source>touch screen targets size density</source>
        <translation>Touchscreen Bildschirm berühren Ziele Größe Dichte</translation>
    </message>
    <message>
        <source>When the screen is touched</source>
        <translation>Wenn der Bildschirm berührt wird</translation>
    </message>
    <message>
        <source>Always</source>
        <translation>Immer</translation>
    </message>
    <message>
        <source>Animations</source>
        <translation>Animationen</translation>
    </message>
    <message>
        <source>movement</source>
        <translation>Bewegung</translation>
    </message>
    <message>
        <source>On</source>
        <translation>An</translation>
    </message>
    <message>
        <source>Off</source>
        <translation>Aus</translation>
    </message>
    <message>
        <source>Screen reader reads answers</source>
        <translation>Bildschirmleser liest Antworten vor</translation>
    </message>
    <message>
        <source>Their start and end are always announced.</source>
        <translation>Anfang und Ende werden immer angesagt.</translation>
    </message>
    <message>
        <source>speech voice</source>
        <translation>Sprache Stimme</translation>
    </message>
    <message>
        <source>No</source>
        <translation>Nein</translation>
    </message>
    <message>
        <source>When they are complete</source>
        <translation>Wenn sie vollständig sind</translation>
    </message>
    <message>
        <source>Sentence by sentence</source>
        <translation>Satz für Satz</translation>
    </message>
    <message>
        <source>Send with</source>
        <translation>Senden mit</translation>
    </message>
    <message>
        <source>Shift+Enter always adds a line.</source>
        <translation>Umschalt+Enter fügt immer eine Zeile ein.</translation>
    </message>
    <message>
        <source>return key newline</source>
        <translation>Eingabetaste Zeilenumbruch</translation>
    </message>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>Tastenkürzel</translation>
    </message>
    <message>
        <source>Press Ctrl+/ to see them at any time.</source>
        <translation>Strg+/ zeigt sie jederzeit.</translation>
    </message>
    <message>
        <source>Show your messages</source>
        <translation>Eigene Nachrichten anzeigen</translation>
    </message>
    <message>
        <source>markdown</source>
        <translation>markdown</translation>
    </message>
    <message>
        <source>With formatting</source>
        <translation>Mit Formatierung</translation>
    </message>
    <message>
        <source>Exactly as typed</source>
        <translation>Genau wie eingegeben</translation>
    </message>
    <message>
        <source>Notify when an answer is ready</source>
        <translation>Benachrichtigen, wenn eine Antwort fertig ist</translation>
    </message>
    <message>
        <source>While you work in another window.</source>
        <translation>Während Sie in einem anderen Fenster arbeiten.</translation>
    </message>
    <message>
        <source>Desktop</source>
        <translation>Desktop</translation>
    </message>
    <message>
        <source>If it took 10 seconds</source>
        <translation>Wenn sie 10 Sekunden brauchte</translation>
    </message>
    <message>
        <source>Icon in the tray</source>
        <translation>Symbol im Infobereich</translation>
    </message>
    <message>
        <source>system tray status close minimise background</source>
        <translation>Tray System Status schließen minimieren Hintergrund</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>Anzeigen</translation>
    </message>
    <message>
        <source>Show, and keep running in it</source>
        <translation>Anzeigen und darin weiterlaufen</translation>
    </message>
    <message>
        <source>Start when you log in</source>
        <translation>Bei der Anmeldung starten</translation>
    </message>
    <message>
        <source>autostart boot</source>
        <translation>Autostart Systemstart</translation>
    </message>
    <message>
        <source>When you delete a message</source>
        <translation>Wenn Sie eine Nachricht löschen</translation>
    </message>
    <message>
        <source>Ask about later ones</source>
        <translation>Nach späteren fragen</translation>
    </message>
    <message>
        <source>Delete only that one</source>
        <translation>Nur diese löschen</translation>
    </message>
    <message>
        <source>Delete later ones too</source>
        <translation>Spätere mitlöschen</translation>
    </message>
    <message>
        <source>Look for a new version once a day</source>
        <translation>Einmal am Tag nach einer neuen Version suchen</translation>
    </message>
    <message>
        <source>The portable program only; “Updates…” says how yours is updated.</source>
        <translation>Nur das portable Programm; „Aktualisierungen…“ sagt, wie Ihres aktualisiert wird.</translation>
    </message>
    <message>
        <source>Updates</source>
        <translation>Aktualisierungen</translation>
    </message>
    <message>
        <source>update upgrade release</source>
        <translation>Update aktualisieren neue Version</translation>
    </message>
    <message>
        <source>A page is either around a message, or before or after one.</source>
        <translation>Eine Seite liegt entweder um eine Nachricht herum oder vor oder nach einer.</translation>
    </message>
    <message>
        <source>Only your own messages can be edited.</source>
        <translation>Nur eigene Nachrichten können bearbeitet werden.</translation>
    </message>
    <message>
        <source>Only an answer can get a version of this kind.</source>
        <translation>Nur eine Antwort kann eine Version dieser Art bekommen.</translation>
    </message>
    <message>
        <source>Only an answer that stopped before its end can be continued.</source>
        <translation>Fortsetzen lässt sich nur eine Antwort, die vor ihrem Ende abgebrochen ist.</translation>
    </message>
    <message>
        <source>Personal</source>
        <translation>Persönlich</translation>
    </message>
    <message>
        <source>This project is in the trash.</source>
        <translation>Dieses Projekt liegt im Papierkorb.</translation>
    </message>
    <message>
        <source>This is the last project, and new threads need one.</source>
        <translation>Das ist das letzte Projekt, und neue Unterhaltungen brauchen eines.</translation>
    </message>
    <message>
        <source>Make another one first.</source>
        <translation>Legen Sie zuerst ein anderes an.</translation>
    </message>
    <message>
        <source>A project needs a name.</source>
        <translation>Ein Projekt braucht einen Namen.</translation>
    </message>
    <message>
        <source>A project&apos;s name has at most {longest_name} characters.</source>
        <translation>Der Name eines Projekts hat höchstens {longest_name} Zeichen.</translation>
    </message>
    <message>
        <source>Choose a shorter one.</source>
        <translation>Wählen Sie einen kürzeren.</translation>
    </message>
    <message>
        <source>This answer is not waiting to be started.</source>
        <translation>Diese Antwort wartet nicht darauf, begonnen zu werden.</translation>
    </message>
    <message>
        <source>This answer has ended; nothing can be added to it.</source>
        <translation>Diese Antwort ist zu Ende; es kann nichts hinzugefügt werden.</translation>
    </message>
    <message>
        <source>A turn cannot end in a state that is not final.</source>
        <translation>Ein Durchgang kann nicht in einem Zustand enden, der nicht endgültig ist.</translation>
    </message>
    <message>
        <source>This answer has ended already.</source>
        <translation>Diese Antwort ist schon zu Ende.</translation>
    </message>
    <message>
        <source>There is a tag “{key}” already.</source>
        <translation>Es gibt schon ein Schlagwort „{key}“.</translation>
    </message>
    <message>
        <source>Choose another name.</source>
        <translation>Wählen Sie einen anderen Namen.</translation>
    </message>
    <message>
        <source>A tag needs a name.</source>
        <translation>Ein Schlagwort braucht einen Namen.</translation>
    </message>
    <message>
        <source>A tag&apos;s name has at most {longest_name} characters.</source>
        <translation>Der Name eines Schlagworts hat höchstens {longest_name} Zeichen.</translation>
    </message>
    <message>
        <source>There is no tag with that id.</source>
        <translation>Es gibt kein Schlagwort mit dieser Kennung.</translation>
    </message>
    <message>
        <source>There is another tag “{name}” now.</source>
        <translation>Inzwischen gibt es ein anderes Schlagwort „{name}“.</translation>
    </message>
    <message>
        <source>Rename that one and try again.</source>
        <translation>Benennen Sie dieses um und versuchen Sie es erneut.</translation>
    </message>
    <message>
        <source>That is not a place in the list.</source>
        <translation>Diese Stelle gibt es in der Liste nicht.</translation>
    </message>
    <message>
        <source>Start from the first page.</source>
        <translation>Beginnen Sie mit der ersten Seite.</translation>
    </message>
    <message>
        <source>The text of this message was removed for good after its time in the trash.</source>
        <translation>Der Text dieser Nachricht wurde nach ihrer Zeit im Papierkorb endgültig entfernt.</translation>
    </message>
    <message>
        <source>{thread_ids} of {thread_ids_2} threads are not, or no longer, in the trash.</source>
        <translation>{thread_ids} von {thread_ids_2} Unterhaltungen liegen nicht (mehr) im Papierkorb.</translation>
    </message>
    <message>
        <source>Select those that are and try again.</source>
        <translation>Wählen Sie die aus, die dort sind, und versuchen Sie es erneut.</translation>
    </message>
    <message>
        <source>The backup that was just made is damaged, so it was not kept.</source>
        <translation>Die eben erstellte Sicherung ist beschädigt und wurde deshalb nicht behalten.</translation>
    </message>
    <message>
        <source>The backup that was just made is not complete, so it was not kept.</source>
        <translation>Die eben erstellte Sicherung ist nicht vollständig und wurde deshalb nicht behalten.</translation>
    </message>
    <message>
        <source>The database is not open.</source>
        <translation>Die Datenbank ist nicht geöffnet.</translation>
    </message>
    <message>
        <source>The database is closed.</source>
        <translation>Die Datenbank ist geschlossen.</translation>
    </message>
    <message>
        <source>ChatDesk is reading this database while another program writes to it.</source>
        <translation>ChatDesk liest diese Datenbank, während ein anderes Programm hineinschreibt.</translation>
    </message>
    <message>
        <source>The database {path} could not be used.</source>
        <translation>Die Datenbank {path} konnte nicht benutzt werden.</translation>
    </message>
    <message>
        <source>Another program is using the database {path}.</source>
        <translation>Ein anderes Programm benutzt die Datenbank {path}.</translation>
    </message>
    <message>
        <source>The database {path} cannot be written to.</source>
        <translation>In die Datenbank {path} kann nicht geschrieben werden.</translation>
    </message>
    <message>
        <source>The database file {path} is damaged.</source>
        <translation>Die Datenbankdatei {path} ist beschädigt.</translation>
    </message>
    <message>
        <source>The disk of {folder} is full, so this could not be saved.</source>
        <translation>Der Datenträger von {folder} ist voll, deshalb konnte dies nicht gespeichert werden.</translation>
    </message>
    <message>
        <source>The disk reported an error while {file} was used.</source>
        <translation>Der Datenträger meldete einen Fehler, während {file} benutzt wurde.</translation>
    </message>
    <message>
        <source>the database</source>
        <translation>die Datenbank</translation>
    </message>
    <message>
        <source>What was saved before is unchanged; what was not confirmed counts as not saved.</source>
        <translation>Was vorher gespeichert wurde, ist unverändert; was nicht bestätigt wurde, gilt als nicht gespeichert.</translation>
    </message>
    <message>
        <source>Check the disk and its free space, then try again.</source>
        <translation>Prüfen Sie den Datenträger und seinen freien Platz und versuchen Sie es dann erneut.</translation>
    </message>
    <message>
        <source>Change its owner or permissions, or choose another data directory.</source>
        <translation>Ändern Sie Eigentümer oder Rechte, oder wählen Sie ein anderes Datenverzeichnis.</translation>
    </message>
    <message>
        <source>{path} is a directory, not a database file.</source>
        <translation>{path} ist ein Verzeichnis, keine Datenbankdatei.</translation>
    </message>
    <message>
        <source>Choose another data directory.</source>
        <translation>Wählen Sie ein anderes Datenverzeichnis.</translation>
    </message>
    <message>
        <source>{path} is not a file, so it is no database.</source>
        <translation>{path} ist keine Datei und deshalb keine Datenbank.</translation>
    </message>
    <message>
        <source>The directory {parent} does not exist.</source>
        <translation>Das Verzeichnis {parent} gibt es nicht.</translation>
    </message>
    <message>
        <source>Create it or choose another one.</source>
        <translation>Legen Sie es an, oder wählen Sie ein anderes.</translation>
    </message>
    <message>
        <source>The database file {path} may not be opened by this user.</source>
        <translation>Die Datenbankdatei {path} darf von diesem Benutzer nicht geöffnet werden.</translation>
    </message>
    <message>
        <source>The directory {parent} may not be read by this user.</source>
        <translation>Das Verzeichnis {parent} darf von diesem Benutzer nicht gelesen werden.</translation>
    </message>
    <message>
        <source>No database can be created in {parent}.</source>
        <translation>In {parent} kann keine Datenbank angelegt werden.</translation>
    </message>
    <message>
        <source>The database file {path} cannot be opened.</source>
        <translation>Die Datenbankdatei {path} kann nicht geöffnet werden.</translation>
    </message>
    <message>
        <source>the last changes</source>
        <translation>die letzten Änderungen</translation>
    </message>
    <message>
        <source>The database is older than it was when ChatDesk last saved: {lost} may be missing. This happens when a backup was restored, or when a file was lost. Nothing else was changed. Look for a newer backup in the backup directory if you did not restore one yourself.</source>
        <translation>Die Datenbank ist älter als beim letzten Speichern durch ChatDesk; vielleicht fehlt etwas: {lost}. Das geschieht, wenn eine Sicherung wiederhergestellt wurde oder eine Datei verloren ging. Sonst wurde nichts geändert. Suchen Sie im Sicherungsverzeichnis nach einer neueren Sicherung, wenn Sie nicht selbst eine wiederhergestellt haben.</translation>
    </message>
    <message>
        <source>This data belongs to a newer ChatDesk (schema {revision}, here {head_revision}), so this one can only read it.</source>
        <translation>Diese Daten stammen aus einer neueren ChatDesk-Version (Schema {revision}, hier {head_revision}), deshalb kann diese sie nur lesen.</translation>
    </message>
    <message>
        <source>You can read, search, copy and export your threads; nothing is changed.</source>
        <translation>Sie können Ihre Unterhaltungen lesen, durchsuchen, kopieren und exportieren; nichts wird geändert.</translation>
    </message>
    <message>
        <source>Update ChatDesk to continue writing, or restore the backup from before the upgrade (Help, Upgrades and the way back).</source>
        <translation>Aktualisieren Sie ChatDesk, um weiterzuschreiben, oder stellen Sie die Sicherung von vor der Aktualisierung wieder her (Hilfe, Aktualisierungen und der Weg zurück).</translation>
    </message>
    <message>
        <source>This database has schema version {revision}; this ChatDesk knows versions up to {head_revision}, and cannot read it: “{lacking}” is not there as it knows it.</source>
        <translation>Diese Datenbank hat die Schemaversion {revision}; dieses ChatDesk kennt Versionen bis {head_revision} und kann sie nicht lesen: „{lacking}“ ist dort nicht in der erwarteten Form vorhanden.</translation>
    </message>
    <message>
        <source>This request was carried out before, and its result is no longer known.</source>
        <translation>Diese Anfrage wurde schon ausgeführt, und ihr Ergebnis ist nicht mehr bekannt.</translation>
    </message>
    <message>
        <source>This was done before.</source>
        <translation>Das wurde schon erledigt.</translation>
    </message>
    <message>
        <source>Nothing was done twice.</source>
        <translation>Es wurde nichts doppelt ausgeführt.</translation>
    </message>
    <message>
        <source>This was changed by somebody else in the meantime.</source>
        <translation>Das wurde inzwischen von jemand anderem geändert.</translation>
    </message>
    <message>
        <source>Look at the current state, then make your change again.</source>
        <translation>Sehen Sie sich den jetzigen Stand an, und machen Sie Ihre Änderung dann noch einmal.</translation>
    </message>
    <message>
        <source>The database contains something that ChatDesk did not put there: {first}{more}.</source>
        <translation>Die Datenbank enthält etwas, das nicht von ChatDesk stammt: {first}{more}.</translation>
    </message>
    <message>
        <source>None of it was used, and the file was left as it is.</source>
        <translation>Nichts davon wurde verwendet, und die Datei wurde nicht verändert.</translation>
    </message>
    <message>
        <source>Run &apos;chatdesk doctor --repair&apos;: it copies your messages into a new database and keeps this one.</source>
        <translation>Führen Sie &apos;chatdesk doctor --repair&apos; aus: Es kopiert Ihre Nachrichten in eine neue Datenbank und behält diese.</translation>
    </message>
    <message>
        <source>The file is a database, but not one of ChatDesk&apos;s.</source>
        <translation>Die Datei ist eine Datenbank, aber keine von ChatDesk.</translation>
    </message>
    <message>
        <source>The database does not say which version its schema has, so it is damaged.</source>
        <translation>Die Datenbank gibt nicht an, welche Version ihr Schema hat; sie ist also beschädigt.</translation>
    </message>
    <message>
        <source>This database has schema version {revision}, from before the first release.</source>
        <translation>Diese Datenbank hat die Schemaversion {revision}, aus der Zeit vor der ersten Veröffentlichung.</translation>
    </message>
    <message>
        <source>This database has schema version {revision}; this ChatDesk knows versions up to {head_revision}.</source>
        <translation>Diese Datenbank hat die Schemaversion {revision}; dieses ChatDesk kennt Versionen bis {head_revision}.</translation>
    </message>
    <message>
        <source>The database could not be upgraded from schema version {revision} to {head_revision}.</source>
        <translation>Die Datenbank konnte nicht von Schemaversion {revision} auf {head_revision} aktualisiert werden.</translation>
    </message>
    <message>
        <source>It was left as it was and can be read; a verified backup is at {saved}.</source>
        <translation>Sie wurde nicht verändert und kann gelesen werden; eine geprüfte Sicherung liegt unter {saved}.</translation>
    </message>
    <message>
        <source>The database file is damaged, so it was not upgraded.</source>
        <translation>Die Datenbankdatei ist beschädigt und wurde deshalb nicht aktualisiert.</translation>
    </message>
    <message>
        <source>The database must be upgraded, which needs {needed} MB of free space; there are {free} MB.</source>
        <translation>Die Datenbank muss aktualisiert werden, wofür {needed} MB freier Platz nötig sind; es sind {free} MB.</translation>
    </message>
    <message>
        <source>The database was not touched.</source>
        <translation>Die Datenbank wurde nicht verändert.</translation>
    </message>
    <message>
        <source>Free some space; ChatDesk then continues by itself.</source>
        <translation>Schaffen Sie Platz; ChatDesk macht dann von selbst weiter.</translation>
    </message>
    <message>
        <source>The upgrade would have left rows that point to nothing, so it was undone.</source>
        <translation>Die Aktualisierung hätte Zeilen hinterlassen, die ins Leere zeigen, deshalb wurde sie rückgängig gemacht.</translation>
    </message>
    <message>
        <source>The upgrade would have changed the number of rows in {changed}; it was undone.</source>
        <translation>Die Aktualisierung hätte die Zeilenzahl in {changed} geändert; sie wurde rückgängig gemacht.</translation>
    </message>
    <message numerus="yes">
        <source>delete {count} threads</source>
        <comment>delete thread</comment>
        <translation>
            <numerusform>Unterhaltung löschen</numerusform>
            <numerusform>{count} Unterhaltungen löschen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>restore {count} threads</source>
        <comment>restore thread</comment>
        <translation>
            <numerusform>Unterhaltung wiederherstellen</numerusform>
            <numerusform>{count} Unterhaltungen wiederherstellen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>tag {count} threads</source>
        <comment>tag thread</comment>
        <translation>
            <numerusform>Unterhaltung verschlagworten</numerusform>
            <numerusform>{count} Unterhaltungen verschlagworten</numerusform>
        </translation>
    </message>
    <message>
        <source>delete tag {name}</source>
        <translation>Schlagwort {name} löschen</translation>
    </message>
    <message>
        <source>delete project {name}</source>
        <translation>Projekt {name} löschen</translation>
    </message>
    <message>
        <source>restore project {name}</source>
        <translation>Projekt {name} wiederherstellen</translation>
    </message>
    <message>
        <source>This thread is gone for good.</source>
        <translation>Diese Unterhaltung wurde endgültig gelöscht.</translation>
    </message>
    <message>
        <source>{missing} of {thread_ids} threads are gone for good.</source>
        <translation>{missing} von {thread_ids} Unterhaltungen wurden endgültig gelöscht.</translation>
    </message>
    <message>
        <source>Select those that are left and try again.</source>
        <translation>Wählen Sie die verbliebenen aus und versuchen Sie es erneut.</translation>
    </message>
    <message numerus="yes">
        <source>{count} of {all} threads are in the trash.</source>
        <comment>{count} of {all} threads is in the trash.</comment>
        <translation>
            <numerusform>{count} von {all} Unterhaltungen liegt im Papierkorb.</numerusform>
            <numerusform>{count} von {all} Unterhaltungen liegen im Papierkorb.</numerusform>
        </translation>
    </message>
    <message>
        <source>Restore them first, or select the others only.</source>
        <translation>Stellen Sie diese zuerst wieder her, oder wählen Sie nur die anderen aus.</translation>
    </message>
    <message>
        <source>A thread of a shared project cannot be moved out of it, because others have it, too.</source>
        <translation>Eine Unterhaltung eines geteilten Projekts kann nicht herausgenommen werden, weil andere sie auch haben.</translation>
    </message>
    <message>
        <source>Export it, and import it into the other project.</source>
        <translation>Exportieren Sie sie, und importieren Sie sie in das andere Projekt.</translation>
    </message>
    <message>
        <source>The team knows this thread from the project it was shared in before.</source>
        <translation>Das Team kennt diese Unterhaltung aus dem Projekt, in dem sie zuvor geteilt war.</translation>
    </message>
    <message>
        <source>Branch it at its last message, and move the branch.</source>
        <translation>Zweigen Sie sie an ihrer letzten Nachricht ab, und verschieben Sie den Zweig.</translation>
    </message>
    <message>
        <source>This project is shared, so you cannot delete it.</source>
        <translation>Dieses Projekt ist geteilt, deshalb können Sie es nicht löschen.</translation>
    </message>
    <message>
        <source>Stop sharing it first; then delete your copy.</source>
        <translation>Beenden Sie zuerst das Teilen; löschen Sie dann Ihre Kopie.</translation>
    </message>
    <message>
        <source>This project is shared by others, so you cannot delete it.</source>
        <translation>Dieses Projekt wird von anderen geteilt, deshalb können Sie es nicht löschen.</translation>
    </message>
    <message>
        <source>Leave it first; then delete your copy.</source>
        <translation>Verlassen Sie es zuerst; löschen Sie dann Ihre Kopie.</translation>
    </message>
    <message>
        <source>The library holds {most_prompts} prompts at most.</source>
        <translation>Die Bibliothek fasst höchstens {most_prompts} Prompts.</translation>
    </message>
    <message>
        <source>Delete some that you do not use.</source>
        <translation>Löschen Sie einige, die Sie nicht verwenden.</translation>
    </message>
    <message>
        <source>The last changes cannot be shown: they are in the database&apos;s log, which can only be read where files can be created. Nothing was changed. Make the data directory writable, or copy it to a place that is, and start ChatDesk again.</source>
        <translation>Die letzten Änderungen können nicht angezeigt werden: Sie stehen im Protokoll der Datenbank, das nur dort gelesen werden kann, wo Dateien angelegt werden können. Es wurde nichts geändert. Machen Sie das Datenverzeichnis beschreibbar, oder kopieren Sie es an einen beschreibbaren Ort, und starten Sie ChatDesk neu.</translation>
    </message>
    <message>
        <source>The disk of {directory} is full, so ChatDesk can only read.</source>
        <translation>Der Datenträger von {directory} ist voll, deshalb kann ChatDesk nur lesen.</translation>
    </message>
    <message>
        <source>There is no database at {path}.</source>
        <translation>Unter {path} ist keine Datenbank.</translation>
    </message>
    <message>
        <source>Nothing was created.</source>
        <translation>Es wurde nichts angelegt.</translation>
    </message>
    <message>
        <source>Start ChatDesk once, or choose another --data-dir.</source>
        <translation>Starten Sie ChatDesk einmal, oder wählen Sie ein anderes --data-dir.</translation>
    </message>
    <message>
        <source>No project is called “{value}”.</source>
        <translation>Kein Projekt heißt „{value}“.</translation>
    </message>
    <message>
        <source>No tag is called “{value}”.</source>
        <translation>Kein Schlagwort heißt „{value}“.</translation>
    </message>
    <message>
        <source>This data belongs to a newer ChatDesk, whose search index this one cannot read.</source>
        <translation>Diese Daten stammen aus einer neueren ChatDesk-Version, deren Suchindex diese nicht lesen kann.</translation>
    </message>
    <message>
        <source>The search index is damaged and is being rebuilt. Your messages are not affected.</source>
        <translation>Der Suchindex ist beschädigt und wird neu aufgebaut. Ihre Nachrichten sind nicht betroffen.</translation>
    </message>
    <message>
        <source>Nobody else has this: its project is not shared.</source>
        <translation>Niemand sonst hat das: Sein Projekt ist nicht geteilt.</translation>
    </message>
    <message>
        <source>Delete it, and empty the trash.</source>
        <translation>Löschen Sie es, und leeren Sie den Papierkorb.</translation>
    </message>
    <message>
        <source>You wrote none of this, so you cannot erase it for everybody.</source>
        <translation>Nichts davon haben Sie geschrieben, deshalb können Sie es nicht für alle löschen.</translation>
    </message>
    <message>
        <source>Ask an owner or admin of the project, who may erase what others wrote.</source>
        <translation>Bitten Sie einen Eigentümer oder Verwalter des Projekts darum; diese dürfen löschen, was andere geschrieben haben.</translation>
    </message>
    <message>
        <source>Your role in this project does not permit it. Ask one of its owners for another role, then try again.</source>
        <translation>Ihre Rolle in diesem Projekt erlaubt das nicht. Bitten Sie einen Eigentümer um eine andere Rolle und versuchen Sie es dann erneut.</translation>
    </message>
    <message>
        <source>The thread or message that this belongs to is not on the team&apos;s server. Copy the text out to keep it elsewhere.</source>
        <translation>Die Unterhaltung oder Nachricht, zu der das gehört, ist nicht auf dem Server des Teams. Kopieren Sie den Text heraus, um ihn anderswo zu behalten.</translation>
    </message>
    <message>
        <source>The team&apos;s server has something else in this place. Copy it out to keep it elsewhere.</source>
        <translation>Der Server des Teams hat an dieser Stelle etwas anderes. Kopieren Sie es heraus, um es anderswo zu behalten.</translation>
    </message>
    <message>
        <source>This is larger than the {max_body_bytes} MB that the team&apos;s server takes in one change. Copy it out, or write it in parts.</source>
        <translation>Das ist größer als die {max_body_bytes} MB, die der Server des Teams in einer Änderung annimmt. Kopieren Sie es heraus, oder schreiben Sie es in Teilen.</translation>
    </message>
    <message>
        <source>Another member wrote something else here at the same time, which everybody sees. Try again to put this in its place, or copy it out.</source>
        <translation>Ein anderes Mitglied hat hier gleichzeitig etwas anderes geschrieben, das alle sehen. Versuchen Sie es erneut, um dies an dessen Stelle zu setzen, oder kopieren Sie es heraus.</translation>
    </message>
    <message>
        <source>The team&apos;s server did not take this. Try again, or copy it out.</source>
        <translation>Der Server des Teams hat das nicht angenommen. Versuchen Sie es erneut, oder kopieren Sie es heraus.</translation>
    </message>
    <message>
        <source>There is no text in these changes that could be copied.</source>
        <translation>In diesen Änderungen ist kein Text, der kopiert werden könnte.</translation>
    </message>
    <message>
        <source>This project is shared already.</source>
        <translation>Dieses Projekt ist schon geteilt.</translation>
    </message>
    <message>
        <source>{deleted_by} deleted this thread; it is back because {by} wrote in it at the same time.</source>
        <translation>{deleted_by} hat diese Unterhaltung gelöscht; sie ist wieder da, weil {by} gleichzeitig darin geschrieben hat.</translation>
    </message>
    <message>
        <source>{deleted_by} deleted a message here; it is back because {by} wrote below it at the same time.</source>
        <translation>{deleted_by} hat hier eine Nachricht gelöscht; sie ist wieder da, weil {by} gleichzeitig darunter geschrieben hat.</translation>
    </message>
    <message>
        <source>Messages are kept for 1 to {longest_retention_days} days.</source>
        <translation>Nachrichten werden 1 bis {longest_retention_days} Tage behalten.</translation>
    </message>
    <message>
        <source>The daily backup was not made: it needs {needed} MB, {free} MB are free.</source>
        <translation>Die tägliche Sicherung wurde nicht erstellt: Sie braucht {needed} MB, {free} MB sind frei.</translation>
    </message>
    <message>
        <source>Your messages are kept, and so are the older backups.</source>
        <translation>Ihre Nachrichten bleiben erhalten, die älteren Sicherungen auch.</translation>
    </message>
    <message>
        <source>Free some space; ChatDesk tries again within the hour.</source>
        <translation>Schaffen Sie Platz; ChatDesk versucht es innerhalb einer Stunde erneut.</translation>
    </message>
    <message>
        <source>no backup</source>
        <translation>keine Sicherung</translation>
    </message>
    <message>
        <source>Your messages and the older backups are unchanged.</source>
        <translation>Ihre Nachrichten und die älteren Sicherungen sind unverändert.</translation>
    </message>
    <message>
        <source>Check the disk; ChatDesk tries again within the hour.</source>
        <translation>Prüfen Sie den Datenträger; ChatDesk versucht es innerhalb einer Stunde erneut.</translation>
    </message>
    <message>
        <source>{name} is not a complete backup of ChatDesk.</source>
        <translation>{name} ist keine vollständige Sicherung von ChatDesk.</translation>
    </message>
    <message>
        <source>Choose another backup.</source>
        <translation>Wählen Sie eine andere Sicherung.</translation>
    </message>
    <message>
        <source>There is no backup at {path}.</source>
        <translation>Unter {path} ist keine Sicherung.</translation>
    </message>
    <message>
        <source>The daily check found damage in the database file.</source>
        <translation>Die tägliche Prüfung hat einen Schaden in der Datenbankdatei gefunden.</translation>
    </message>
    <message>
        <source>Nothing was changed, and what you see can still be read; there is no backup yet.</source>
        <translation>Es wurde nichts geändert, und was Sie sehen, kann weiterhin gelesen werden; es gibt noch keine Sicherung.</translation>
    </message>
    <message>
        <source>Export the threads you need, then run &apos;chatdesk doctor&apos; for details.</source>
        <translation>Exportieren Sie die Unterhaltungen, die Sie brauchen, und führen Sie dann &apos;chatdesk doctor&apos; für Einzelheiten aus.</translation>
    </message>
    <message>
        <source>Nothing was changed. The newest good backup is {path}.</source>
        <translation>Es wurde nichts geändert. Die neueste gute Sicherung ist {path}.</translation>
    </message>
    <message>
        <source>Export what is newer than that, then restore the backup: Settings, Data and backup, or &apos;chatdesk restore&apos;.</source>
        <translation>Exportieren Sie, was neuer ist, und stellen Sie dann die Sicherung wieder her: Einstellungen, Daten und Sicherung, oder &apos;chatdesk restore&apos;.</translation>
    </message>
    <message>
        <source>Project {project} is in the trash, but not all of its threads are.</source>
        <translation>Das Projekt {project} ist im Papierkorb, aber nicht alle seine Unterhaltungen.</translation>
    </message>
    <message>
        <source>Messages of thread {thread} are out of place.</source>
        <translation>Nachrichten der Unterhaltung {thread} sind nicht an ihrem Platz.</translation>
    </message>
    <message>
        <source>In thread {thread} a message that is chosen below another is not below it.</source>
        <translation>In der Unterhaltung {thread} ist unter einer Nachricht eine gewählt, die nicht unter ihr steht.</translation>
    </message>
    <message>
        <source>The choice of shown messages of thread {thread} is broken.</source>
        <translation>In der Unterhaltung {thread} ist falsch gespeichert, welche Nachrichten angezeigt werden.</translation>
    </message>
    <message>
        <source>The file of part {part} is missing in the list of files.</source>
        <translation>Die Datei des Teils {part} fehlt in der Liste der Dateien.</translation>
    </message>
    <message numerus="yes">
        <source>{count} projects with threads outside the trash were taken out of the trash.</source>
        <comment>{count} project with threads outside the trash was taken out of the trash.</comment>
        <translation>
            <numerusform>{count} Projekt mit Unterhaltungen außerhalb des Papierkorbs wurde aus dem Papierkorb geholt.</numerusform>
            <numerusform>{count} Projekte mit Unterhaltungen außerhalb des Papierkorbs wurden aus dem Papierkorb geholt.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The messages of {count} threads were put in their places again.</source>
        <comment>The messages of {count} thread were put in their places again.</comment>
        <translation>
            <numerusform>Die Nachrichten von {count} Unterhaltung wurden wieder an ihre Stellen gesetzt.</numerusform>
            <numerusform>Die Nachrichten von {count} Unterhaltungen wurden wieder an ihre Stellen gesetzt.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Choices of versions that led nowhere were removed in {count} threads.</source>
        <comment>Choices of versions that led nowhere were removed in {count} thread.</comment>
        <translation>
            <numerusform>In {count} Unterhaltung wurde eine Wahl von Versionen entfernt, die nirgends hinführte.</numerusform>
            <numerusform>In {count} Unterhaltungen wurde eine Wahl von Versionen entfernt, die nirgends hinführte.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The choice of shown messages was repaired in {count} threads.</source>
        <comment>The choice of shown messages was repaired in {count} thread.</comment>
        <translation>
            <numerusform>In {count} Unterhaltung wurde repariert, welche Nachrichten angezeigt werden.</numerusform>
            <numerusform>In {count} Unterhaltungen wurde repariert, welche Nachrichten angezeigt werden.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} attached files were entered in the list of files again, from which they were missing.</source>
        <comment>{count} attached file was entered in the list of files again, from which it was missing.</comment>
        <translation>
            <numerusform>{count} angehängte Datei, die in der Liste der Dateien fehlte, wurde wieder eingetragen.</numerusform>
            <numerusform>{count} angehängte Dateien, die in der Liste der Dateien fehlten, wurden wieder eingetragen.</numerusform>
        </translation>
    </message>
    <message>
        <source>The database as it was before the repair is kept at {kept}.</source>
        <translation>Die Datenbank, wie sie vor der Reparatur war, liegt unter {kept}.</translation>
    </message>
    <message>
        <source>Nothing was wrong.</source>
        <translation>Es war alles in Ordnung.</translation>
    </message>
    <message>
        <source>The file is too damaged for SQLite to check it.</source>
        <translation>Die Datei ist zu stark beschädigt, als dass SQLite sie prüfen könnte.</translation>
    </message>
    <message>
        <source>The search index was rebuilt; it is filled in the background.</source>
        <translation>Der Suchindex wurde neu aufgebaut; er wird im Hintergrund gefüllt.</translation>
    </message>
    <message numerus="yes">
        <source>The last shown message was determined again in {count} threads.</source>
        <comment>The last shown message was determined again in {count} thread.</comment>
        <translation>
            <numerusform>In {count} Unterhaltung wurde die letzte angezeigte Nachricht neu bestimmt.</numerusform>
            <numerusform>In {count} Unterhaltungen wurde die letzte angezeigte Nachricht neu bestimmt.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The counters of {count} threads were corrected.</source>
        <comment>The counters of {count} thread were corrected.</comment>
        <translation>
            <numerusform>Die Zähler von {count} Unterhaltung wurden berichtigt.</numerusform>
            <numerusform>Die Zähler von {count} Unterhaltungen wurden berichtigt.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads whose project is missing were moved to a private project.</source>
        <comment>{count} thread whose project is missing was moved to a private project.</comment>
        <translation>
            <numerusform>{count} Unterhaltung, deren Projekt fehlt, wurde in ein privates Projekt verschoben.</numerusform>
            <numerusform>{count} Unterhaltungen, deren Projekt fehlt, wurden in ein privates Projekt verschoben.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages whose previous message is missing now begin a version of their own.</source>
        <comment>{count} message whose previous message is missing now begins a version of its own.</comment>
        <translation>
            <numerusform>{count} Nachricht, deren vorige Nachricht fehlt, beginnt jetzt eine eigene Version.</numerusform>
            <numerusform>{count} Nachrichten, deren vorige Nachricht fehlt, beginnen jetzt eine eigene Version.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} drafts whose thread is missing were added to the draft of a new thread.</source>
        <comment>{count} draft whose thread is missing was added to the draft of a new thread.</comment>
        <translation>
            <numerusform>{count} Entwurf, dessen Unterhaltung fehlt, wurde dem Entwurf einer neuen Unterhaltung hinzugefügt.</numerusform>
            <numerusform>{count} Entwürfe, deren Unterhaltung fehlt, wurden dem Entwurf einer neuen Unterhaltung hinzugefügt.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} rows of {table} that belonged to nothing were removed.</source>
        <comment>{count} row of {table} that belonged to nothing was removed.</comment>
        <translation>
            <numerusform>{count} Zeile von {table}, die zu nichts gehörte, wurde entfernt.</numerusform>
            <numerusform>{count} Zeilen von {table}, die zu nichts gehörten, wurden entfernt.</numerusform>
        </translation>
    </message>
    <message>
        <source>The search index is damaged.</source>
        <translation>Der Suchindex ist beschädigt.</translation>
    </message>
    <message>
        <source>The file itself is damaged (problems found: {found}), so nothing was changed in it.</source>
        <translation>Die Datei selbst ist beschädigt (gefundene Fehler: {found}), deshalb wurde darin nichts geändert.</translation>
    </message>
    <message>
        <source>It was left as it is; a backup may still have the original.</source>
        <translation>Es wurde nicht verändert; eine Sicherung hat vielleicht noch das Original.</translation>
    </message>
    <message>
        <source>A backup made with &apos;chatdesk backup FILE&apos; contains it, if it was made in time.</source>
        <translation>Eine mit &apos;chatdesk backup FILE&apos; erstellte Sicherung enthält es, wenn sie rechtzeitig erstellt wurde.</translation>
    </message>
    <message>
        <source>It could not be repaired.</source>
        <translation>Es konnte nicht repariert werden.</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads that had lost title and settings are called “{recovered_title}”.</source>
        <comment>{count} thread that had lost title and settings is called “{recovered_title}”.</comment>
        <translation>
            <numerusform>{count} Unterhaltung ohne Titel und Einstellungen heißt jetzt „{recovered_title}“.</numerusform>
            <numerusform>{count} Unterhaltungen ohne Titel und Einstellungen heißen jetzt „{recovered_title}“.</numerusform>
        </translation>
    </message>
    <message>
        <source>Press Connect again in Settings, Team sync, or run &apos;chatdesk team join&apos;: then what was lost of shared projects is fetched from the team&apos;s server as far as it is there.</source>
        <translation>Drücken Sie „Wieder verbinden“ unter Einstellungen, Teamabgleich, oder führen Sie &apos;chatdesk team join&apos; aus: Dann wird vom Server des Teams geholt, was von geteilten Projekten verloren ging, soweit es dort ist.</translation>
    </message>
    <message>
        <source>Restore a backup, or close ChatDesk and run &apos;chatdesk doctor --repair&apos;, which copies what can still be read.</source>
        <translation>Stellen Sie eine Sicherung wieder her, oder schließen Sie ChatDesk und führen Sie &apos;chatdesk doctor --repair&apos; aus, das kopiert, was noch lesbar ist.</translation>
    </message>
    <message>
        <source>{name} needs more time or memory than a backup of its size should, so ChatDesk stopped reading it.</source>
        <translation>{name} braucht mehr Zeit oder Speicher, als bei einer Sicherung dieser Größe zu erwarten ist; ChatDesk hat das Lesen deshalb abgebrochen.</translation>
    </message>
    <message>
        <source>Checking the backup needs up to {needed} MB; {free} MB are free.</source>
        <translation>Das Prüfen der Sicherung braucht bis zu {needed} MB; {free} MB sind frei.</translation>
    </message>
    <message>
        <source>{name} would fill the disk if it were unpacked, so it was not.</source>
        <translation>{name} würde entpackt den Datenträger füllen und wurde deshalb nicht entpackt.</translation>
    </message>
    <message>
        <source>There is not enough room on the disk for the contents of the backup.</source>
        <translation>Auf dem Datenträger ist nicht genug Platz für den Inhalt der Sicherung.</translation>
    </message>
    <message>
        <source>This backup was written by a newer ChatDesk.</source>
        <translation>Diese Sicherung stammt aus einer neueren ChatDesk-Version.</translation>
    </message>
    <message>
        <source>Update ChatDesk to restore it.</source>
        <translation>Aktualisieren Sie ChatDesk, um sie wiederherzustellen.</translation>
    </message>
    <message>
        <source>{name} contains something that ChatDesk did not put there: {first}{more}.</source>
        <translation>{name} enthält etwas, das nicht von ChatDesk stammt: {first}{more}.</translation>
    </message>
    <message>
        <source>{name} is damaged: some messages are replies to themselves.</source>
        <translation>{name} ist beschädigt: Einige Nachrichten sind Antworten auf sich selbst.</translation>
    </message>
    <message>
        <source>the column {column} of the table {table}</source>
        <translation>die Spalte {column} der Tabelle {table}</translation>
    </message>
    <message>
        <source>the table {table}</source>
        <translation>die Tabelle {table}</translation>
    </message>
    <message>
        <source>{name} is not a complete backup of ChatDesk: {lack} is missing.</source>
        <translation>{name} ist keine vollständige Sicherung von ChatDesk: {lack} fehlt.</translation>
    </message>
    <message>
        <source>Nothing could be read from the damaged database.</source>
        <translation>Aus der beschädigten Datenbank konnte nichts gelesen werden.</translation>
    </message>
    <message>
        <source>It was left as it is.</source>
        <translation>Sie wurde nicht verändert.</translation>
    </message>
    <message>
        <source>Restore the newest backup.</source>
        <translation>Stellen Sie die neueste Sicherung wieder her.</translation>
    </message>
    <message>
        <source>Messages that could not be read but whose text was recovered in place: {placed}.</source>
        <translation>Nachrichten, die nicht gelesen werden konnten, deren Text aber an seiner Stelle gerettet wurde: {placed}.</translation>
    </message>
    <message>
        <source>Recovered texts whose messages are lost, now in the thread “{title}”: {apart}.</source>
        <translation>Gerettete Texte, deren Nachrichten verloren sind, jetzt in der Unterhaltung „{title}“: {apart}.</translation>
    </message>
    <message>
        <source>Putting in order what was copied…</source>
        <translation>Das Kopierte wird geordnet…</translation>
    </message>
    <message>
        <source>Problems that are left: {wrong}; &apos;chatdesk doctor&apos; lists them.</source>
        <translation>Verbleibende Fehler: {wrong}; &apos;chatdesk doctor&apos; listet sie auf.</translation>
    </message>
    <message>
        <source>{name}: the table could not be found in the file.</source>
        <translation>{name}: Die Tabelle war in der Datei nicht zu finden.</translation>
    </message>
    <message>
        <source>{name}: the table had lost its definition.</source>
        <translation>{name}: Die Tabelle hatte ihre Definition verloren.</translation>
    </message>
    <message>
        <source>Reading {name}: {number} rows…</source>
        <translation>{name} wird gelesen: {number} Zeilen…</translation>
    </message>
    <message numerus="yes">
        <source>{name}: {count} rows had values that could not be read.</source>
        <comment>{name}: {count} row had values that could not be read.</comment>
        <translation>
            <numerusform>{name}: {count} Zeile hatte Werte, die sich nicht lesen ließen.</numerusform>
            <numerusform>{name}: {count} Zeilen hatten Werte, die sich nicht lesen ließen.</numerusform>
        </translation>
    </message>
    <message>
        <source>{name}: this is not a table of ChatDesk, so it was left out.</source>
        <translation>{name}: Das ist keine Tabelle von ChatDesk und wurde deshalb weggelassen.</translation>
    </message>
    <message numerus="yes">
        <source>{count} places</source>
        <comment>{count} place</comment>
        <translation>
            <numerusform>{count} Stelle</numerusform>
            <numerusform>{count} Stellen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}: {count} rows were copied; {places} could not be read.</source>
        <comment>{name}: {count} row was copied; {places} could not be read.</comment>
        <translation>
            <numerusform>{name}: {count} Zeile wurde kopiert; nicht lesbar: {places}.</numerusform>
            <numerusform>{name}: {count} Zeilen wurden kopiert; nicht lesbar: {places}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}: {count} rows were copied; {left_out} that are there twice or make no sense were not.</source>
        <comment>{name}: {count} row was copied; {left_out} that are there twice or make no sense were not.</comment>
        <translation>
            <numerusform>{name}: {count} Zeile wurde kopiert; {left_out}, die doppelt oder sinnlos sind, nicht.</numerusform>
            <numerusform>{name}: {count} Zeilen wurden kopiert; {left_out}, die doppelt oder sinnlos sind, nicht.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}: all {count} rows were copied.</source>
        <comment>{name}: the {count} row was copied.</comment>
        <translation>
            <numerusform>{name}: Die {count} Zeile wurde kopiert.</numerusform>
            <numerusform>{name}: Alle {count} Zeilen wurden kopiert.</numerusform>
        </translation>
    </message>
    <message>
        <source>The invitation names the server “{host}”, which only this computer reaches. Give the workspace a name or IP address that others reach before you invite anybody: Settings, Team sync, Address.</source>
        <translation>Die Einladung nennt den Server „{host}“, den nur dieser Computer erreicht. Geben Sie dem Arbeitsbereich einen Namen oder eine IP-Adresse, die andere erreichen, bevor Sie jemanden einladen: Einstellungen, Teamabgleich, Adresse.</translation>
    </message>
    <message>
        <source>The invitation names the server “{host}”, which is found in your own network only. Whoever is elsewhere needs a way into it, such as a VPN.</source>
        <translation>Die Einladung nennt den Server „{host}“, der nur in Ihrem eigenen Netz zu finden ist. Wer woanders ist, braucht einen Weg hinein, etwa ein VPN.</translation>
    </message>
    <message>
        <source>That is not the address of a Postgres database.</source>
        <translation>Das ist nicht die Adresse einer Postgres-Datenbank.</translation>
    </message>
    <message>
        <source>It looks like postgresql://name:password@db.example.org:5432/team; the server&apos;s operator shows it.</source>
        <translation>Sie hat die Form postgresql://name:password@db.example.org:5432/team; der Betreiber des Servers kennt sie.</translation>
    </message>
    <message>
        <source>“{host}” is neither the name nor the IP address of a server.</source>
        <translation>„{host}“ ist weder Name noch IP-Adresse eines Servers.</translation>
    </message>
    <message>
        <source>A port is a number from 1 to 65535.</source>
        <translation>Ein Port ist eine Zahl von 1 bis 65535.</translation>
    </message>
    <message>
        <source>The name of the database is missing, or has characters that ChatDesk does not accept.</source>
        <translation>Der Name der Datenbank fehlt oder enthält Zeichen, die ChatDesk nicht annimmt.</translation>
    </message>
    <message>
        <source>The name of the login is missing, or has characters that ChatDesk does not accept.</source>
        <translation>Der Name des Logins fehlt oder enthält Zeichen, die ChatDesk nicht annimmt.</translation>
    </message>
    <message>
        <source>ChatDesk does not know this kind of encryption.</source>
        <translation>ChatDesk kennt diese Art der Verschlüsselung nicht.</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s daily limit of text for each member.</source>
        <translation>Sie haben das Tageslimit des Arbeitsbereichs für Text je Mitglied erreicht.</translation>
    </message>
    <message>
        <source>This project has reached the workspace&apos;s daily limit of text for each project.</source>
        <translation>Dieses Projekt hat das Tageslimit des Arbeitsbereichs für Text je Projekt erreicht.</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s daily limit of files for each member.</source>
        <translation>Sie haben das Tageslimit des Arbeitsbereichs für Dateien je Mitglied erreicht.</translation>
    </message>
    <message>
        <source>This project has reached the workspace&apos;s daily limit of files for each project.</source>
        <translation>Dieses Projekt hat das Tageslimit des Arbeitsbereichs für Dateien je Projekt erreicht.</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s limit of changes a minute for each member.</source>
        <translation>Sie haben das Limit des Arbeitsbereichs für Änderungen pro Minute je Mitglied erreicht.</translation>
    </message>
    <message>
        <source>ChatDesk continues by itself tomorrow (UTC). An owner of the workspace can raise the limit.</source>
        <translation>ChatDesk macht morgen (UTC) von selbst weiter. Ein Eigentümer des Arbeitsbereichs kann das Limit erhöhen.</translation>
    </message>
    <message>
        <source>ChatDesk continues by itself in a minute.</source>
        <translation>ChatDesk macht in einer Minute von selbst weiter.</translation>
    </message>
    <message>
        <source>The workspace has reached its limit of members.</source>
        <translation>Der Arbeitsbereich hat sein Limit für Mitglieder erreicht.</translation>
    </message>
    <message>
        <source>An owner of the workspace can raise the limit, or remove somebody.</source>
        <translation>Ein Eigentümer des Arbeitsbereichs kann das Limit erhöhen oder jemanden entfernen.</translation>
    </message>
    <message>
        <source>The workspace has reached its limit of open invitations.</source>
        <translation>Der Arbeitsbereich hat sein Limit für offene Einladungen erreicht.</translation>
    </message>
    <message>
        <source>Withdraw some, or wait until they expire. An owner of the workspace can raise the limit.</source>
        <translation>Ziehen Sie einige zurück, oder warten Sie, bis sie ablaufen. Ein Eigentümer des Arbeitsbereichs kann das Limit erhöhen.</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s limit of shared projects for each member.</source>
        <translation>Sie haben das Limit des Arbeitsbereichs für geteilte Projekte je Mitglied erreicht.</translation>
    </message>
    <message>
        <source>An owner of the workspace can raise the limit.</source>
        <translation>Ein Eigentümer des Arbeitsbereichs kann das Limit erhöhen.</translation>
    </message>
    <message>
        <source>What the team&apos;s server sends does not fit what it sent before.</source>
        <translation>Was der Server des Teams sendet, passt nicht zu dem, was er vorher gesendet hat.</translation>
    </message>
    <message>
        <source>What was received before stays readable, and everything you wrote is kept on this computer.</source>
        <translation>Was vorher empfangen wurde, bleibt lesbar, und alles, was Sie geschrieben haben, bleibt auf diesem Computer erhalten.</translation>
    </message>
    <message>
        <source>The team&apos;s database cannot be reached.</source>
        <translation>Die Datenbank des Teams ist nicht erreichbar.</translation>
    </message>
    <message>
        <source>ChatDesk tries again by itself.</source>
        <translation>ChatDesk versucht es von selbst erneut.</translation>
    </message>
    <message>
        <source>The team&apos;s database is busy with another member&apos;s change.</source>
        <translation>Die Datenbank des Teams ist mit der Änderung eines anderen Mitglieds beschäftigt.</translation>
    </message>
    <message>
        <source>The team&apos;s database waits for an unfinished change of {by}.</source>
        <translation>Die Datenbank des Teams wartet auf eine unfertige Änderung von {by}.</translation>
    </message>
    <message>
        <source>{next_step} If it stays so, an owner of the workspace can end their connections.</source>
        <translation>{next_step} Wenn es so bleibt, kann ein Eigentümer des Arbeitsbereichs die Verbindungen beenden.</translation>
    </message>
    <message>
        <source>A limit of the workspace is reached.</source>
        <translation>Ein Limit des Arbeitsbereichs ist erreicht.</translation>
    </message>
    <message>
        <source>An owner of the workspace can change it.</source>
        <translation>Ein Eigentümer des Arbeitsbereichs kann es ändern.</translation>
    </message>
    <message>
        <source>Another member of the workspace has this name.</source>
        <translation>Ein anderes Mitglied des Arbeitsbereichs hat diesen Namen.</translation>
    </message>
    <message>
        <source>Choose a name that tells you apart.</source>
        <translation>Wählen Sie einen Namen, der Sie unterscheidet.</translation>
    </message>
    <message>
        <source>This address leads to another team&apos;s database than the one you joined.</source>
        <translation>Diese Adresse führt zur Datenbank eines anderen Teams als dem, dem Sie beigetreten sind.</translation>
    </message>
    <message>
        <source>Ask the workspace&apos;s owner for the address, or join the other workspace on its own.</source>
        <translation>Fragen Sie den Eigentümer des Arbeitsbereichs nach der Adresse, oder treten Sie dem anderen Arbeitsbereich gesondert bei.</translation>
    </message>
    <message>
        <source>The password for the team&apos;s database cannot be found on this computer.</source>
        <translation>Das Passwort für die Datenbank des Teams ist auf diesem Computer nicht zu finden.</translation>
    </message>
    <message>
        <source>Unlock the keyring, or enter the password in Settings, Team sync.</source>
        <translation>Entsperren Sie den Schlüsselbund, oder geben Sie das Passwort unter Einstellungen, Teamabgleich ein.</translation>
    </message>
    <message>
        <source>This address leads to a pooler that gives each transaction another connection.</source>
        <translation>Diese Adresse führt zu einem Pooler, der jeder Transaktion eine andere Verbindung gibt.</translation>
    </message>
    <message>
        <source>Use the server&apos;s direct port, or session pooling.</source>
        <translation>Verwenden Sie den direkten Port des Servers oder das Pooling nach Sitzungen.</translation>
    </message>
    <message>
        <source>The team&apos;s database did not answer in time.</source>
        <translation>Die Datenbank des Teams hat nicht rechtzeitig geantwortet.</translation>
    </message>
    <message>
        <source>The server of the team&apos;s database was not found under its name.</source>
        <translation>Der Server der Team-Datenbank wurde unter seinem Namen nicht gefunden.</translation>
    </message>
    <message>
        <source>Check the name and your network. ChatDesk tries again by itself.</source>
        <translation>Prüfen Sie den Namen und Ihr Netz. ChatDesk versucht es von selbst erneut.</translation>
    </message>
    <message>
        <source>The team&apos;s database takes no more connections at the moment.</source>
        <translation>Die Datenbank des Teams nimmt gerade keine weiteren Verbindungen an.</translation>
    </message>
    <message>
        <source>ChatDesk tries again by itself. If it stays so, the server&apos;s max_connections is too small.</source>
        <translation>ChatDesk versucht es von selbst erneut. Wenn es so bleibt, ist max_connections des Servers zu klein.</translation>
    </message>
    <message>
        <source>The team&apos;s database cannot be written to at the moment: its server is a standby, or was made read-only.</source>
        <translation>In die Datenbank des Teams kann gerade nicht geschrieben werden: Ihr Server ist ein Standby oder schreibgeschützt.</translation>
    </message>
    <message>
        <source>ChatDesk tries again by itself. If it stays so, tell whoever runs the server.</source>
        <translation>ChatDesk versucht es von selbst erneut. Wenn es so bleibt, sagen Sie dem Betreiber des Servers Bescheid.</translation>
    </message>
    <message>
        <source>The disk of the team&apos;s server is full.</source>
        <translation>Der Datenträger des Team-Servers ist voll.</translation>
    </message>
    <message>
        <source>Tell whoever runs the server. ChatDesk tries again by itself.</source>
        <translation>Sagen Sie dem Betreiber des Servers Bescheid. ChatDesk versucht es von selbst erneut.</translation>
    </message>
    <message>
        <source>The team&apos;s server did not take the password: it is wrong, or it has expired.</source>
        <translation>Der Server des Teams hat das Passwort nicht angenommen: Es ist falsch oder abgelaufen.</translation>
    </message>
    <message>
        <source>Enter the password again, or ask the workspace&apos;s owner for a new invitation.</source>
        <translation>Geben Sie das Passwort erneut ein, oder bitten Sie den Eigentümer des Arbeitsbereichs um eine neue Einladung.</translation>
    </message>
    <message>
        <source>Your login to the team&apos;s database was closed: you are no longer a member of this workspace.</source>
        <translation>Ihr Login für die Datenbank des Teams wurde gesperrt: Sie sind kein Mitglied dieses Arbeitsbereichs mehr.</translation>
    </message>
    <message>
        <source>If this is a mistake, ask the workspace&apos;s owner for a new invitation.</source>
        <translation>Wenn das ein Versehen ist, bitten Sie den Eigentümer des Arbeitsbereichs um eine neue Einladung.</translation>
    </message>
    <message>
        <source>This login is not a member of the workspace.</source>
        <translation>Dieses Login ist kein Mitglied des Arbeitsbereichs.</translation>
    </message>
    <message>
        <source>Ask the workspace&apos;s owner for an invitation.</source>
        <translation>Bitten Sie den Eigentümer des Arbeitsbereichs um eine Einladung.</translation>
    </message>
    <message>
        <source>The invitation was not accepted in time, or not at all.</source>
        <translation>Die Einladung wurde nicht rechtzeitig oder gar nicht angenommen.</translation>
    </message>
    <message>
        <source>Accept it, or ask the workspace&apos;s owner for a new one.</source>
        <translation>Nehmen Sie sie an, oder bitten Sie den Eigentümer des Arbeitsbereichs um eine neue.</translation>
    </message>
    <message>
        <source>The invitation was used already, or withdrawn; each is good once.</source>
        <translation>Die Einladung wurde schon benutzt oder zurückgezogen; jede gilt einmal.</translation>
    </message>
    <message>
        <source>If you joined on another computer, add this one there. If it was not you who used it, tell the workspace&apos;s owner, who can remove that member; then ask for a new one.</source>
        <translation>Wenn Sie auf einem anderen Computer beigetreten sind, fügen Sie diesen dort hinzu. Wenn nicht Sie sie benutzt haben, sagen Sie es dem Eigentümer des Arbeitsbereichs, der dieses Mitglied entfernen kann; bitten Sie dann um eine neue.</translation>
    </message>
    <message>
        <source>The server of the team&apos;s database does not speak TLS, so what you write would be sent unencrypted.</source>
        <translation>Der Server der Team-Datenbank unterstützt kein TLS; was Sie schreiben, würde also unverschlüsselt gesendet.</translation>
    </message>
    <message>
        <source>Ask whoever runs the server to turn TLS on. Nothing was sent.</source>
        <translation>Bitten Sie den Betreiber des Servers, TLS einzuschalten. Es wurde nichts gesendet.</translation>
    </message>
    <message>
        <source>The server of the team&apos;s database refuses connections of this kind from this computer.</source>
        <translation>Der Server der Team-Datenbank lehnt Verbindungen dieser Art von diesem Computer ab.</translation>
    </message>
    <message>
        <source>Turn TLS on for this address, or ask whoever runs the server to let this computer in.</source>
        <translation>Schalten Sie TLS für diese Adresse ein, oder bitten Sie den Betreiber des Servers, diesen Computer zuzulassen.</translation>
    </message>
    <message>
        <source>This computer does not trust the certificate of the team&apos;s server for that server&apos;s name.</source>
        <translation>Dieser Computer vertraut dem Zertifikat des Team-Servers für dessen Namen nicht.</translation>
    </message>
    <message>
        <source>Somebody may be intercepting the connection. Ask whoever runs the server for its certificate. Nothing was sent.</source>
        <translation>Vielleicht fängt jemand die Verbindung ab. Fragen Sie den Betreiber des Servers nach dem Zertifikat. Es wurde nichts gesendet.</translation>
    </message>
    <message>
        <source>The server asked for the password itself instead of a proof that you know it, so ChatDesk did not send it.</source>
        <translation>Der Server hat das Passwort selbst verlangt statt eines Nachweises, dass Sie es kennen; ChatDesk hat es deshalb nicht gesendet.</translation>
    </message>
    <message>
        <source>It may not be the team&apos;s server. Ask whoever runs it; its passwords have to be scram-sha-256.</source>
        <translation>Vielleicht ist es nicht der Server des Teams. Fragen Sie den Betreiber; die Passwörter müssen als scram-sha-256 gespeichert sein.</translation>
    </message>
    <message>
        <source>There is no such database on the team&apos;s server.</source>
        <translation>Diese Datenbank gibt es auf dem Server des Teams nicht.</translation>
    </message>
    <message>
        <source>Check the name of the database.</source>
        <translation>Prüfen Sie den Namen der Datenbank.</translation>
    </message>
    <message>
        <source>There is no workspace of ChatDesk in this database.</source>
        <translation>In dieser Datenbank gibt es keinen Arbeitsbereich von ChatDesk.</translation>
    </message>
    <message>
        <source>Check the address, or create a workspace there.</source>
        <translation>Prüfen Sie die Adresse, oder legen Sie dort einen Arbeitsbereich an.</translation>
    </message>
    <message>
        <source>The database is not empty, and a workspace needs one for itself.</source>
        <translation>Die Datenbank ist nicht leer, und ein Arbeitsbereich braucht eine für sich.</translation>
    </message>
    <message>
        <source>Create an empty database and give its address. Nothing was changed.</source>
        <translation>Legen Sie eine leere Datenbank an und geben Sie deren Adresse an. Es wurde nichts geändert.</translation>
    </message>
    <message>
        <source>The server is older than PostgreSQL 15.</source>
        <translation>Der Server ist älter als PostgreSQL 15.</translation>
    </message>
    <message>
        <source>A workspace needs PostgreSQL 15 or newer. Nothing was changed.</source>
        <translation>Ein Arbeitsbereich braucht PostgreSQL 15 oder neuer. Es wurde nichts geändert.</translation>
    </message>
    <message>
        <source>The workspace was upgraded by a newer ChatDesk than this one.</source>
        <translation>Der Arbeitsbereich wurde von einer neueren ChatDesk-Version als dieser aktualisiert.</translation>
    </message>
    <message>
        <source>Update ChatDesk to continue; until then, what you change waits here.</source>
        <translation>Aktualisieren Sie ChatDesk, um weiterzumachen; bis dahin wartet hier, was Sie ändern.</translation>
    </message>
    <message>
        <source>The team&apos;s database is of an older ChatDesk than this one.</source>
        <translation>Die Datenbank des Teams stammt aus einer älteren ChatDesk-Version als dieser.</translation>
    </message>
    <message>
        <source>An owner upgrades it: &apos;chatdesk team upgrade&apos;, or upgrade.sql. Until then, what you change waits here.</source>
        <translation>Ein Eigentümer aktualisiert sie: „chatdesk team upgrade“ oder upgrade.sql. Bis dahin wartet hier, was Sie ändern.</translation>
    </message>
    <message>
        <source>This profile, or a copy of it, was put in the place of another one, so it no longer syncs.</source>
        <translation>Dieses Profil oder eine Kopie davon wurde an die Stelle eines anderen gesetzt; deshalb wird es nicht mehr abgeglichen.</translation>
    </message>
    <message>
        <source>Press Connect again in Settings, Team sync, or run &apos;chatdesk team join&apos;. What waits here is sent then.</source>
        <translation>Drücken Sie „Wieder verbinden“ unter Einstellungen, Teamabgleich, oder führen Sie &apos;chatdesk team join&apos; aus. Was hier wartet, wird dann gesendet.</translation>
    </message>
    <message>
        <source>Tell the people who run the server. Nothing was changed.</source>
        <translation>Sagen Sie den Betreibern des Servers Bescheid. Es wurde nichts geändert.</translation>
    </message>
    <message>
        <source>The workspace does not, or no longer, know this computer.</source>
        <translation>Der Arbeitsbereich kennt diesen Computer nicht (mehr).</translation>
    </message>
    <message>
        <source>This login may not do what setting up a workspace takes: own the database and create roles in it.</source>
        <translation>Dieses Login darf nicht, was zum Einrichten eines Arbeitsbereichs nötig ist: die Datenbank besitzen und Rollen darin anlegen.</translation>
    </message>
    <message>
        <source>ChatDesk asks again by itself. Tell the people who run the server.</source>
        <translation>ChatDesk fragt von selbst erneut. Sagen Sie den Betreibern des Servers Bescheid.</translation>
    </message>
    <message>
        <source>Use a login that owns the database and has CREATEROLE. Nothing was changed.</source>
        <translation>Verwenden Sie ein Login, das die Datenbank besitzt und CREATEROLE hat. Es wurde nichts geändert.</translation>
    </message>
    <message>
        <source>The project was deleted for everybody by its owner.</source>
        <translation>Das Projekt wurde von seinem Eigentümer für alle gelöscht.</translation>
    </message>
    <message>
        <source>Your copy stays here as a private project.</source>
        <translation>Ihre Kopie bleibt hier als privates Projekt.</translation>
    </message>
    <message>
        <source>You are no longer in this project.</source>
        <translation>Sie sind nicht mehr in diesem Projekt.</translation>
    </message>
    <message>
        <source>Your copy stays here as a private project. To come back, ask one of its owners.</source>
        <translation>Ihre Kopie bleibt hier als privates Projekt. Um zurückzukommen, fragen Sie einen der Eigentümer.</translation>
    </message>
    <message>
        <source>ChatDesk registers it again by itself.</source>
        <translation>ChatDesk meldet ihn von selbst wieder an.</translation>
    </message>
    <message>
        <source>Your role does not permit this.</source>
        <translation>Ihre Rolle erlaubt das nicht.</translation>
    </message>
    <message>
        <source>Ask an owner of the project or of the workspace. Nothing was changed.</source>
        <translation>Fragen Sie einen Eigentümer des Projekts oder des Arbeitsbereichs. Es wurde nichts geändert.</translation>
    </message>
    <message>
        <source>There must always be an owner.</source>
        <translation>Es muss immer einen Eigentümer geben.</translation>
    </message>
    <message>
        <source>Make somebody else owner first. Nothing was changed.</source>
        <translation>Machen Sie zuerst jemand anderen zum Eigentümer. Es wurde nichts geändert.</translation>
    </message>
    <message>
        <source>The team&apos;s database did not take a value.</source>
        <translation>Die Datenbank des Teams hat einen Wert nicht angenommen.</translation>
    </message>
    <message>
        <source>Check what you typed. Nothing was changed.</source>
        <translation>Prüfen Sie Ihre Eingabe. Es wurde nichts geändert.</translation>
    </message>
    <message>
        <source>By now the server misses other changes of this project than those, or none.</source>
        <translation>Inzwischen fehlen auf dem Server andere Änderungen dieses Projekts oder gar keine mehr.</translation>
    </message>
    <message>
        <source>Check against the server again. Nothing was changed.</source>
        <translation>Gleichen Sie noch einmal mit dem Server ab. Es wurde nichts geändert.</translation>
    </message>
    <message>
        <source>Changes of this project were not only lost on the server, but rewritten as well.</source>
        <translation>Auf dem Server sind Änderungen dieses Projekts nicht nur verloren, sondern auch umgeschrieben worden.</translation>
    </message>
    <message>
        <source>This person has not accepted the invitation yet.</source>
        <translation>Diese Person hat die Einladung noch nicht angenommen.</translation>
    </message>
    <message>
        <source>Try it again when they have joined. Nothing was changed.</source>
        <translation>Versuchen Sie es noch einmal, wenn sie beigetreten ist. Es wurde nichts geändert.</translation>
    </message>
    <message>
        <source>This person is not, or no longer, a member of the workspace.</source>
        <translation>Diese Person ist kein Mitglied des Arbeitsbereichs oder keines mehr.</translation>
    </message>
    <message>
        <source>Invite them first. Nothing was changed.</source>
        <translation>Laden Sie sie zuerst ein. Es wurde nichts geändert.</translation>
    </message>
    <message>
        <source>That exists already and is another member&apos;s.</source>
        <translation>Das gibt es schon, und es gehört einem anderen Mitglied.</translation>
    </message>
    <message>
        <source>The file is no longer on the computer that sent the message.</source>
        <translation>Die Datei ist nicht mehr auf dem Computer, der die Nachricht gesendet hat.</translation>
    </message>
    <message>
        <source>The team&apos;s database does not have the file (yet).</source>
        <translation>Die Datenbank des Teams hat die Datei (noch) nicht.</translation>
    </message>
    <message>
        <source>The team&apos;s database has a different file under this name.</source>
        <translation>Die Datenbank des Teams hat unter diesem Namen eine andere Datei.</translation>
    </message>
    <message>
        <source>The file is larger than ChatDesk takes from a team.</source>
        <translation>Die Datei ist größer, als ChatDesk von einem Team annimmt.</translation>
    </message>
    <message>
        <source>A shared file could not be saved: {reason}.</source>
        <translation>Eine geteilte Datei konnte nicht gespeichert werden: {reason}.</translation>
    </message>
    <message>
        <source>Make room on the disk; ChatDesk tries again by itself.</source>
        <translation>Schaffen Sie Platz auf dem Datenträger; ChatDesk versucht es von selbst erneut.</translation>
    </message>
    <message>
        <source>That is not an invitation to a workspace.</source>
        <translation>Das ist keine Einladung in einen Arbeitsbereich.</translation>
    </message>
    <message>
        <source>Paste the whole code or link, or open the file that you were given.</source>
        <translation>Fügen Sie den ganzen Code oder Link ein, oder öffnen Sie die Datei, die Sie bekommen haben.</translation>
    </message>
    <message>
        <source>The invitation is cut off: its end is missing.</source>
        <translation>Die Einladung ist abgeschnitten: Ihr Ende fehlt.</translation>
    </message>
    <message>
        <source>Copy all of it, or ask for it as a file.</source>
        <translation>Kopieren Sie sie vollständig, oder bitten Sie um eine Datei.</translation>
    </message>
    <message>
        <source>The invitation was changed on its way: it is not what was sent.</source>
        <translation>Die Einladung wurde unterwegs verändert: Sie ist nicht so angekommen, wie sie gesendet wurde.</translation>
    </message>
    <message>
        <source>Copy it again from where you got it, or ask for it as a file.</source>
        <translation>Kopieren Sie sie noch einmal von der Quelle, oder bitten Sie um eine Datei.</translation>
    </message>
    <message>
        <source>The invitation was made by a newer ChatDesk.</source>
        <translation>Die Einladung wurde mit einer neueren ChatDesk-Version erstellt.</translation>
    </message>
    <message>
        <source>Install the newest ChatDesk, then open it again.</source>
        <translation>Installieren Sie die neueste ChatDesk-Version und öffnen Sie die Einladung dann erneut.</translation>
    </message>
    <message>
        <source>The passphrase does not open this code.</source>
        <translation>Die Passphrase öffnet diesen Code nicht.</translation>
    </message>
    <message>
        <source>Type it as it is shown on the other computer, three groups of four characters.</source>
        <translation>Geben Sie sie ein, wie der andere Computer sie zeigt: drei Gruppen zu vier Zeichen.</translation>
    </message>
    <message>
        <source>This profile is not in that workspace.</source>
        <translation>Dieses Profil ist nicht in diesem Arbeitsbereich.</translation>
    </message>
    <message>
        <source>Join it in Settings, Team sync.</source>
        <translation>Treten Sie ihm unter Einstellungen, Teamabgleich bei.</translation>
    </message>
    <message>
        <source>An invitation is good for 1 to {longest_days} days.</source>
        <translation>Eine Einladung gilt 1 bis {longest_days} Tage.</translation>
    </message>
    <message>
        <source>Choose fewer days.</source>
        <translation>Wählen Sie weniger Tage.</translation>
    </message>
    <message>
        <source>You cannot remove yourself.</source>
        <translation>Sie können sich nicht selbst entfernen.</translation>
    </message>
    <message>
        <source>Leave the workspace instead.</source>
        <translation>Verlassen Sie stattdessen den Arbeitsbereich.</translation>
    </message>
    <message>
        <source>Share it first.</source>
        <translation>Teilen Sie es zuerst.</translation>
    </message>
    <message>
        <source>The code has expired.</source>
        <translation>Der Code ist abgelaufen.</translation>
    </message>
    <message>
        <source>Make a new one on your other computer.</source>
        <translation>Erstellen Sie einen neuen auf Ihrem anderen Computer.</translation>
    </message>
    <message>
        <source>If you began to set up a workspace here, setting it up again finishes that.</source>
        <translation>Wenn Sie hier mit der Einrichtung eines Arbeitsbereichs begonnen haben, richten Sie ihn erneut ein, um sie abzuschließen.</translation>
    </message>
    <message>
        <source>The password of this workspace is not known here.</source>
        <translation>Das Passwort dieses Arbeitsbereichs ist hier nicht bekannt.</translation>
    </message>
    <message>
        <source>The password comes from an environment variable, so ChatDesk cannot change it.</source>
        <translation>Das Passwort kommt aus einer Umgebungsvariablen, deshalb kann ChatDesk es nicht ändern.</translation>
    </message>
    <message>
        <source>Remove the variable, type the password once, and change it then.</source>
        <translation>Entfernen Sie die Variable, geben Sie das Passwort einmal ein, und ändern Sie es dann.</translation>
    </message>
    <message>
        <source>The invitation has expired.</source>
        <translation>Die Einladung ist abgelaufen.</translation>
    </message>
    <message>
        <source>Ask whoever invited you for a new one.</source>
        <translation>Bitten Sie die Person, die Sie eingeladen hat, um eine neue.</translation>
    </message>
    <message>
        <source>This code no longer opens the team&apos;s database: the password was changed, or you were removed.</source>
        <translation>Dieser Code öffnet die Datenbank des Teams nicht mehr: Das Passwort wurde geändert, oder Sie wurden entfernt.</translation>
    </message>
    <message>
        <source>Make a new code on a computer that still syncs, or ask the workspace&apos;s owner.</source>
        <translation>Erstellen Sie einen neuen Code auf einem Computer, der noch abgleicht, oder fragen Sie den Eigentümer des Arbeitsbereichs.</translation>
    </message>
    <message>
        <source>This profile is in that workspace already.</source>
        <translation>Dieses Profil ist schon in diesem Arbeitsbereich.</translation>
    </message>
    <message>
        <source>Settings, Team sync shows its state.</source>
        <translation>Einstellungen, Teamabgleich zeigt den Zustand.</translation>
    </message>
    <message>
        <source>This server has no encryption: everybody on the way can read and change what is sent, passwords too.</source>
        <translation>Dieser Server hat keine Verschlüsselung: Jeder auf dem Weg dorthin kann lesen und ändern, was gesendet wird, auch Passwörter.</translation>
    </message>
    <message>
        <source>Ask for a server with TLS; agree only on this computer or in a network of your own.</source>
        <translation>Verlangen Sie einen Server mit TLS; stimmen Sie nur auf diesem Computer oder in einem eigenen Netz zu.</translation>
    </message>
    <message>
        <source>This server is not in a network of your own, so ChatDesk speaks to it with encryption only.</source>
        <translation>Dieser Server steht nicht in einem eigenen Netz, deshalb spricht ChatDesk mit ihm nur verschlüsselt.</translation>
    </message>
    <message>
        <source>Switch TLS on at the server; docs/team-administration.md says how.</source>
        <translation>Schalten Sie TLS am Server ein; docs/team-administration.md beschreibt, wie.</translation>
    </message>
    <message>
        <source>A name has 1 to 80 characters on one line.</source>
        <translation>Ein Name hat 1 bis 80 Zeichen in einer Zeile.</translation>
    </message>
    <message>
        <source>Type another one.</source>
        <translation>Geben Sie einen anderen ein.</translation>
    </message>
    <message>
        <source>This code is for a further computer of yours and sealed with a passphrase.</source>
        <translation>Dieser Code ist für einen weiteren Computer von Ihnen und mit einer Passphrase versiegelt.</translation>
    </message>
    <message>
        <source>Type the passphrase that is shown beside the code.</source>
        <translation>Geben Sie die Passphrase ein, die neben dem Code steht.</translation>
    </message>
    <message>
        <source>A password for a team&apos;s database has {shortest} to {longest} letters, digits and signs of an English keyboard, without spaces.</source>
        <translation>Ein Passwort für die Datenbank eines Teams hat {shortest} bis {longest} Buchstaben, Ziffern und Zeichen einer englischen Tastatur, ohne Leerzeichen.</translation>
    </message>
    <message>
        <source>Choose another one.</source>
        <translation>Wählen Sie ein anderes.</translation>
    </message>
    <message>
        <source>This computer cannot keep the password for the team&apos;s database.</source>
        <translation>Dieser Computer kann das Passwort für die Datenbank des Teams nicht aufbewahren.</translation>
    </message>
    <message>
        <source>Nothing was changed on the server, and the invitation is still good.</source>
        <translation>Auf dem Server wurde nichts geändert, und die Einladung gilt noch.</translation>
    </message>
    <message>
        <source>Unlock or install a keyring, or choose the encrypted file in Settings, Providers; or put a password of your own into the variable {variable} each time before ChatDesk starts.</source>
        <translation>Entsperren oder installieren Sie einen Schlüsselbund, oder wählen Sie die verschlüsselte Datei unter Einstellungen, Anbieter; oder schreiben Sie vor jedem Start von ChatDesk ein eigenes Passwort in die Variable {variable}.</translation>
    </message>
    <message>
        <source>The password was given for {kept}, and the workspace is now at {server}: it was not sent there. If the server really moved, say so in Settings, Team sync, Address, or enter the password again.</source>
        <translation>Das Passwort wurde für {kept} angegeben, und der Arbeitsbereich ist jetzt bei {server}: Es wurde nicht dorthin gesendet. Wenn der Server wirklich umgezogen ist, geben Sie das unter Einstellungen, Teamabgleich, Adresse an, oder geben Sie das Passwort noch einmal ein.</translation>
    </message>
    <message>
        <source>The password was kept by an earlier ChatDesk, and the workspace is now at {server}: it was not sent there. If the server really moved, say so in Settings, Team sync, Address, or enter the password again.</source>
        <translation>Das Passwort wurde von einer früheren ChatDesk-Version gespeichert, und der Arbeitsbereich ist jetzt bei {server}: Es wurde nicht dorthin gesendet. Wenn der Server wirklich umgezogen ist, geben Sie das unter Einstellungen, Teamabgleich, Adresse an, oder geben Sie das Passwort noch einmal ein.</translation>
    </message>
    <message>
        <source>The variable {variable} has a password, and nobody said on this computer that it is for {server}: it was not sent there. If it is, set {server_variable} to {named}, or enter the password.</source>
        <translation>Die Variable {variable} hat ein Passwort, und niemand hat auf diesem Computer angegeben, dass es für {server} ist: Es wurde nicht dorthin gesendet. Wenn es für ihn ist, setzen Sie {server_variable} auf {named}, oder geben Sie das Passwort ein.</translation>
    </message>
    <message>
        <source>This project is shared with another workspace already.</source>
        <translation>Dieses Projekt ist schon mit einem anderen Arbeitsbereich geteilt.</translation>
    </message>
    <message>
        <source>Stop sharing it there first.</source>
        <translation>Beenden Sie zuerst dort das Teilen.</translation>
    </message>
    <message>
        <source>Ask one of its owners.</source>
        <translation>Fragen Sie einen der Eigentümer.</translation>
    </message>
    <message>
        <source>Update ChatDesk.</source>
        <translation>Aktualisieren Sie ChatDesk.</translation>
    </message>
    <message>
        <source>What others write comes up to half a minute late: the server&apos;s notifications do not arrive on this connection.</source>
        <translation>Was andere schreiben, kommt bis zu einer halben Minute verspätet: Die Benachrichtigungen des Servers kommen auf dieser Verbindung nicht an.</translation>
    </message>
    <message>
        <source>Use the server&apos;s direct address, or a pooler in session mode: Settings, Team sync, Address.</source>
        <translation>Verwenden Sie die direkte Adresse des Servers oder einen Pooler im Sitzungsmodus: Einstellungen, Teamabgleich, Adresse.</translation>
    </message>
    <message>
        <source>The team&apos;s database needs a newer ChatDesk to write to it; what you write waits on this computer.</source>
        <translation>Zum Schreiben in die Datenbank des Teams ist eine neuere ChatDesk-Version nötig; was Sie schreiben, wartet auf diesem Computer.</translation>
    </message>
    <message>
        <source>The team&apos;s database needs a newer ChatDesk.</source>
        <translation>Für die Datenbank des Teams ist eine neuere ChatDesk-Version nötig.</translation>
    </message>
    <message>
        <source>This computer&apos;s clock is {span} ahead of the team&apos;s. Nothing is lost by that.</source>
        <translation>Die Uhr dieses Computers geht {span} vor gegenüber der des Teams. Dadurch geht nichts verloren.</translation>
    </message>
    <message>
        <source>This computer&apos;s clock is {span} behind the team&apos;s. Nothing is lost by that.</source>
        <translation>Die Uhr dieses Computers geht {span} nach gegenüber der des Teams. Dadurch geht nichts verloren.</translation>
    </message>
    <message>
        <source>a moment</source>
        <translation>einen Moment</translation>
    </message>
    <message>
        <source>The team&apos;s server did not take everything in time.</source>
        <translation>Der Server des Teams hat nicht alles rechtzeitig angenommen.</translation>
    </message>
    <message>
        <source>Check the user and the password.</source>
        <translation>Prüfen Sie Benutzer und Passwort.</translation>
    </message>
    <message>
        <source>Check the host, and your network.</source>
        <translation>Prüfen Sie den Host und Ihr Netz.</translation>
    </message>
    <message>
        <source>Choose the certificate that whoever runs the server gives you. Nothing was sent.</source>
        <translation>Wählen Sie das Zertifikat, das Ihnen der Betreiber des Servers gibt. Es wurde nichts gesendet.</translation>
    </message>
    <message>
        <source>Check again later. If it stays so, the server&apos;s max_connections is too small.</source>
        <translation>Prüfen Sie später erneut. Wenn es so bleibt, ist max_connections des Servers zu klein.</translation>
    </message>
    <message>
        <source>Ask whoever runs the server for room, then check again.</source>
        <translation>Bitten Sie den Betreiber des Servers um Platz und prüfen Sie dann erneut.</translation>
    </message>
    <message>
        <source>Check host, port and network, and that the server runs; then check again.</source>
        <translation>Prüfen Sie Host, Port und Netz und ob der Server läuft; wiederholen Sie dann die Prüfung.</translation>
    </message>
    <message>
        <source>The server answers and takes the login.</source>
        <translation>Der Server antwortet und nimmt das Login an.</translation>
    </message>
    <message>
        <source>create roles (CREATEROLE)</source>
        <translation>Rollen anlegen (CREATEROLE)</translation>
    </message>
    <message>
        <source>change the database, which belongs to another login</source>
        <translation>die Datenbank ändern, die einem anderen Login gehört</translation>
    </message>
    <message>
        <source>Version</source>
        <translation>Version</translation>
    </message>
    <message>
        <source>PostgreSQL {version} is too old. Use a server with 15 or newer.</source>
        <translation>PostgreSQL {version} ist zu alt. Verwenden Sie einen Server mit 15 oder neuer.</translation>
    </message>
    <message>
        <source>PostgreSQL {version}.</source>
        <translation>PostgreSQL {version}.</translation>
    </message>
    <message>
        <source>The connection is encrypted (TLS).</source>
        <translation>Die Verbindung ist verschlüsselt (TLS).</translation>
    </message>
    <message>
        <source>Not encrypted: anybody on the way can read everything.</source>
        <translation>Nicht verschlüsselt: Wer auf dem Weg mitliest, kann alles lesen.</translation>
    </message>
    <message>
        <source>Empty database</source>
        <translation>Leere Datenbank</translation>
    </message>
    <message>
        <source>There is a workspace in this database already. Make a new database, or ask its owner for an invitation.</source>
        <translation>In dieser Datenbank gibt es schon einen Arbeitsbereich. Legen Sie eine neue Datenbank an, oder bitten Sie den Eigentümer um eine Einladung.</translation>
    </message>
    <message numerus="yes">
        <source>It is not empty: there are {count} tables and views in it. A workspace needs a database for itself; make a new one.</source>
        <comment>It is not empty: there is {count} table or view in it. A workspace needs a database for itself; make a new one.</comment>
        <translation>
            <numerusform>Sie ist nicht leer: {count} Tabelle oder Sicht ist darin. Ein Arbeitsbereich braucht eine Datenbank für sich; legen Sie eine neue an.</numerusform>
            <numerusform>Sie ist nicht leer: {count} Tabellen und Sichten sind darin. Ein Arbeitsbereich braucht eine Datenbank für sich; legen Sie eine neue an.</numerusform>
        </translation>
    </message>
    <message>
        <source>The database is empty.</source>
        <translation>Die Datenbank ist leer.</translation>
    </message>
    <message>
        <source>Rights</source>
        <translation>Rechte</translation>
    </message>
    <message>
        <source>The login may not {lacks}. Use the one that owns the database, with CREATEROLE.</source>
        <translation>Das Login darf nicht: {lacks}. Verwenden Sie das, dem die Datenbank gehört, mit CREATEROLE.</translation>
    </message>
    <message>
        <source>{one} or {other}</source>
        <translation>{one} oder {other}</translation>
    </message>
    <message>
        <source>The login owns the database and may create roles.</source>
        <translation>Das Login besitzt die Datenbank und darf Rollen anlegen.</translation>
    </message>
    <message>
        <source>Changes</source>
        <translation>Änderungen</translation>
    </message>
    <message>
        <source>The server takes no changes: it is a standby, or read-only. Use its primary.</source>
        <translation>Der Server nimmt keine Änderungen an: Er ist ein Standby oder schreibgeschützt. Verwenden Sie den Primärserver.</translation>
    </message>
    <message>
        <source>The database keeps text as {encoding}. Make one with UTF8.</source>
        <translation>Die Datenbank speichert Text als {encoding}. Legen Sie eine mit UTF8 an.</translation>
    </message>
    <message>
        <source>The database takes changes, and text in every language.</source>
        <translation>Die Datenbank nimmt Änderungen an und Text in jeder Sprache.</translation>
    </message>
    <message>
        <source>Direct connection</source>
        <translation>Direkte Verbindung</translation>
    </message>
    <message>
        <source>Notifications do not arrive: this seems to be a pooler. Use the server&apos;s direct port, or session pooling.</source>
        <translation>Benachrichtigungen kommen nicht an: Das scheint ein Pooler zu sein. Verwenden Sie den direkten Port des Servers oder Session-Pooling.</translation>
    </message>
    <message>
        <source>Notifications arrive.</source>
        <translation>Benachrichtigungen kommen an.</translation>
    </message>
    <message>
        <source>Connections</source>
        <translation>Verbindungen</translation>
    </message>
    <message>
        <source>The server takes {most} connections; a computer needs up to three while ChatDesk runs.</source>
        <translation>Der Server nimmt {most} Verbindungen an; ein Computer braucht bis zu drei, solange ChatDesk läuft.</translation>
    </message>
    <message>
        <source>The server takes {most} connections, up to three for each computer.</source>
        <translation>Der Server nimmt {most} Verbindungen an, bis zu drei für jeden Computer.</translation>
    </message>
    <message>
        <source>[y/N]</source>
        <translation>[j/N]</translation>
    </message>
    <message>
        <source>y yes</source>
        <translation>j ja</translation>
    </message>
    <message>
        <source>Nobody can be asked here.</source>
        <translation>Hier kann niemand gefragt werden.</translation>
    </message>
    <message>
        <source>Add --yes.</source>
        <translation>Fügen Sie --yes hinzu.</translation>
    </message>
    <message>
        <source>The output could not be written: {strerror}.</source>
        <translation>Die Ausgabe konnte nicht geschrieben werden: {strerror}.</translation>
    </message>
    <message>
        <source>{megabytes} MB</source>
        <translation>{megabytes} MB</translation>
    </message>
    <message numerus="yes">
        <source>{count} bytes</source>
        <comment>{count} byte</comment>
        <translation>
            <numerusform>{count} Byte</numerusform>
            <numerusform>{count} Bytes</numerusform>
        </translation>
    </message>
    <message>
        <source>{about} of {server} failed: {reason}</source>
        <translation>{about} von {server} ist fehlgeschlagen: {reason}</translation>
    </message>
    <message>
        <source>“{tool}” of {server} was changed by its server after it was offered, so it was not run.</source>
        <translation>„{tool}“ von {server} wurde von seinem Server geändert, nachdem es angeboten war; es wurde deshalb nicht ausgeführt.</translation>
    </message>
    <message>
        <source>Ask again: you are shown it as it is now.</source>
        <translation>Fragen Sie erneut: Sie bekommen es dann so gezeigt, wie es jetzt ist.</translation>
    </message>
    <message>
        <source>Signing in to {server} failed: {reason}</source>
        <translation>Anmelden bei {server} ist fehlgeschlagen: {reason}</translation>
    </message>
    <message>
        <source>It was ended.</source>
        <translation>Er wurde beendet.</translation>
    </message>
    <message>
        <source>{server} cannot be used: {reason}</source>
        <translation>{server} kann nicht verwendet werden: {reason}</translation>
    </message>
    <message>
        <source>The process for tools could not be started.</source>
        <translation>Der Prozess für Werkzeuge konnte nicht gestartet werden.</translation>
    </message>
    <message>
        <source>The process for tools ended.</source>
        <translation>Der Prozess für Werkzeuge wurde beendet.</translation>
    </message>
    <message>
        <source>The list of prompts</source>
        <translation>Die Liste der Prompts</translation>
    </message>
    <message>
        <source>The list of resources</source>
        <translation>Die Liste der Ressourcen</translation>
    </message>
    <message>
        <source>{about} of {name} is empty.</source>
        <translation>{about} von {name} ist leer.</translation>
    </message>
    <message>
        <source>No tool server was found in this text.</source>
        <translation>In diesem Text wurde kein Werkzeugserver gefunden.</translation>
    </message>
    <message>
        <source>Paste the whole block, from { to }.</source>
        <translation>Fügen Sie den ganzen Block ein, von { bis }.</translation>
    </message>
    <message>
        <source>It is described with the older transport (SSE), which ChatDesk does not speak. Ask for its address for streamable HTTP, which often ends with /mcp.</source>
        <translation>Er ist mit dem älteren Transport (SSE) beschrieben, den ChatDesk nicht unterstützt. Fragen Sie nach seiner Adresse für „streamable HTTP“, die oft auf /mcp endet.</translation>
    </message>
    <message>
        <source>This text is too long for a description of tool servers.</source>
        <translation>Dieser Text ist zu lang für eine Beschreibung von Werkzeugservern.</translation>
    </message>
    <message>
        <source>This text is not valid JSON.</source>
        <translation>Dieser Text ist kein gültiges JSON.</translation>
    </message>
    <message>
        <source>The permissions of tools could not be saved.</source>
        <translation>Die Berechtigungen der Werkzeuge konnten nicht gespeichert werden.</translation>
    </message>
    <message>
        <source>permissions of tools</source>
        <translation>Berechtigungen der Werkzeuge</translation>
    </message>
    <message>
        <source>Install Node.js: https://nodejs.org (on Debian and Ubuntu: sudo apt install npm).</source>
        <translation>Installieren Sie Node.js: https://nodejs.org (unter Debian und Ubuntu: sudo apt install npm).</translation>
    </message>
    <message>
        <source>Install Node.js: https://nodejs.org (on Debian and Ubuntu: sudo apt install nodejs).</source>
        <translation>Installieren Sie Node.js: https://nodejs.org (unter Debian und Ubuntu: sudo apt install nodejs).</translation>
    </message>
    <message>
        <source>Install Bun: https://bun.sh.</source>
        <translation>Installieren Sie Bun: https://bun.sh.</translation>
    </message>
    <message>
        <source>Install Deno: https://deno.com.</source>
        <translation>Installieren Sie Deno: https://deno.com.</translation>
    </message>
    <message>
        <source>Install uv: pipx install uv (or see https://docs.astral.sh/uv).</source>
        <translation>Installieren Sie uv: pipx install uv (oder siehe https://docs.astral.sh/uv).</translation>
    </message>
    <message>
        <source>Install pipx (on Debian and Ubuntu: sudo apt install pipx).</source>
        <translation>Installieren Sie pipx (unter Debian und Ubuntu: sudo apt install pipx).</translation>
    </message>
    <message>
        <source>Install Docker: https://docs.docker.com/get-docker.</source>
        <translation>Installieren Sie Docker: https://docs.docker.com/get-docker.</translation>
    </message>
    <message>
        <source>Install it, or give its whole path.</source>
        <translation>Installieren Sie es, oder geben Sie den ganzen Pfad an.</translation>
    </message>
    <message>
        <source>The program “{name}” was not found.</source>
        <translation>Das Programm „{name}“ wurde nicht gefunden.</translation>
    </message>
    <message>
        <source>There is no such folder.</source>
        <translation>Diesen Ordner gibt es nicht.</translation>
    </message>
    <message>
        <source>Choose a folder that exists on this computer.</source>
        <translation>Wählen Sie einen Ordner, den es auf diesem Computer gibt.</translation>
    </message>
    <message>
        <source>There is no folder {path}.</source>
        <translation>Es gibt keinen Ordner {path}.</translation>
    </message>
    <message>
        <source>ChatDesk keeps its own files in {each}, which models must not read.</source>
        <translation>ChatDesk hat eigene Dateien in {each}, die Modelle nicht lesen dürfen.</translation>
    </message>
    <message>
        <source>Choose the folder of the project itself.</source>
        <translation>Wählen Sie den Ordner des Projekts selbst.</translation>
    </message>
    <message>
        <source>“{label}” is missing.</source>
        <translation>„{label}“ fehlt.</translation>
    </message>
    <message>
        <source>“{label}” is not a whole number.</source>
        <translation>„{label}“ ist keine ganze Zahl.</translation>
    </message>
    <message>
        <source>“{label}” is not a number.</source>
        <translation>„{label}“ ist keine Zahl.</translation>
    </message>
    <message>
        <source>“{label}” is at least {least}{unit}.</source>
        <translation>„{label}“ muss mindestens {least}{unit} sein.</translation>
    </message>
    <message>
        <source>“{label}” is at most {most}{unit}.</source>
        <translation>„{label}“ darf höchstens {most}{unit} sein.</translation>
    </message>
    <message>
        <source>an email address</source>
        <translation>eine E-Mail-Adresse</translation>
    </message>
    <message>
        <source>an address such as https://example.org</source>
        <translation>eine Adresse wie https://example.org</translation>
    </message>
    <message>
        <source>a date such as 2026-11-24</source>
        <translation>ein Datum wie 2026-11-24</translation>
    </message>
    <message>
        <source>a date and time such as 2026-11-24T09:30:00Z</source>
        <translation>Datum und Uhrzeit wie 2026-11-24T09:30:00Z</translation>
    </message>
    <message>
        <source>“{label}” is not {words}.</source>
        <translation>„{label}“ ist nicht {words}.</translation>
    </message>
    <message>
        <source>This tool server cannot be used as it is.</source>
        <translation>Dieser Werkzeugserver kann so nicht verwendet werden.</translation>
    </message>
    <message>
        <source>Correct this and save again.</source>
        <translation>Berichtigen Sie das und speichern Sie erneut.</translation>
    </message>
    <message>
        <source>The tool server has no name.</source>
        <translation>Der Werkzeugserver hat keinen Namen.</translation>
    </message>
    <message>
        <source>The tool server has no command.</source>
        <translation>Der Werkzeugserver hat keinen Befehl.</translation>
    </message>
    <message>
        <source>The command has a character that no command can have.</source>
        <translation>Der Befehl enthält ein Zeichen, das in keinem Befehl vorkommen darf.</translation>
    </message>
    <message>
        <source>The address of a tool server begins with https:// or http://.</source>
        <translation>Die Adresse eines Werkzeugservers beginnt mit https:// oder http://.</translation>
    </message>
    <message>
        <source>Secrets are sent over https only: anybody on the way could read them.</source>
        <translation>Geheimnisse werden nur über https gesendet: Jeder auf dem Weg dorthin könnte sie sonst lesen.</translation>
    </message>
    <message>
        <source>The tool servers could not be saved.</source>
        <translation>Die Werkzeugserver konnten nicht gespeichert werden.</translation>
    </message>
    <message>
        <source>tool servers</source>
        <translation>Werkzeugserver</translation>
    </message>
    <message numerus="yes">
        <source>{count} tool servers were left out: the entry in {file} cannot be used.</source>
        <comment>{count} tool server was left out: the entry in {file} cannot be used.</comment>
        <translation>
            <numerusform>{count} Werkzeugserver wurde weggelassen: Der Eintrag in {file} kann nicht verwendet werden.</numerusform>
            <numerusform>{count} Werkzeugserver wurden weggelassen: Der Eintrag in {file} kann nicht verwendet werden.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tool servers in this data directory may be from somebody else and stay off until you switch them on.</source>
        <comment>{count} tool server in this data directory may be from somebody else and stays off until you switch it on.</comment>
        <translation>
            <numerusform>{count} Werkzeugserver in diesem Datenverzeichnis stammt vielleicht von jemand anderem und bleibt aus, bis Sie ihn einschalten.</numerusform>
            <numerusform>{count} Werkzeugserver in diesem Datenverzeichnis stammen vielleicht von jemand anderem und bleiben aus, bis Sie sie einschalten.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} other choices for tools in this data directory (a folder, a server of ChatDesk&apos;s own, the search engine) may be from somebody else and do not hold until you choose again.</source>
        <comment>{count} other choice for tools in this data directory (a folder, a server of ChatDesk&apos;s own, the search engine) may be from somebody else and does not hold until you choose again.</comment>
        <translation>
            <numerusform>{count} weitere Einstellung für Werkzeuge in diesem Datenverzeichnis (ein Ordner, ein Server von ChatDesk selbst, die Suchmaschine) stammt vielleicht von jemand anderem und gilt nicht, bis Sie neu wählen.</numerusform>
            <numerusform>{count} weitere Einstellungen für Werkzeuge in diesem Datenverzeichnis (ein Ordner, ein Server von ChatDesk selbst, die Suchmaschine) stammen vielleicht von jemand anderem und gelten nicht, bis Sie neu wählen.</numerusform>
        </translation>
    </message>
    <message>
        <source>The file of tool servers was written by a newer ChatDesk.</source>
        <translation>Die Datei der Werkzeugserver stammt aus einer neueren ChatDesk-Version.</translation>
    </message>
    <message>
        <source>What you set up for tools cannot be marked as yours, so the next start would not trust it.</source>
        <translation>Was Sie für Werkzeuge eingerichtet haben, lässt sich nicht als Ihre Einstellung kennzeichnen; beim nächsten Start würde ihm deshalb nicht vertraut.</translation>
    </message>
    <message>
        <source>Unlock the keyring, or check your configuration directory, and try again.</source>
        <translation>Entsperren Sie den Schlüsselbund, oder prüfen Sie Ihr Konfigurationsverzeichnis, und versuchen Sie es erneut.</translation>
    </message>
    <message>
        <source>The file of tool servers {path} could not be written.</source>
        <translation>Die Datei der Werkzeugserver {path} konnte nicht geschrieben werden.</translation>
    </message>
    <message>
        <source>There are {most_servers} tool servers already.</source>
        <translation>Es gibt schon {most_servers} Werkzeugserver.</translation>
    </message>
    <message>
        <source>{name} comes with ChatDesk.</source>
        <translation>{name} gehört zu ChatDesk.</translation>
    </message>
    <message>
        <source>Switch it off instead.</source>
        <translation>Schalten Sie ihn stattdessen aus.</translation>
    </message>
    <message>
        <source>The tool took too long.</source>
        <translation>Das Werkzeug hat zu lange gebraucht.</translation>
    </message>
    <message>
        <source>The folder {folder} does not exist.</source>
        <translation>Den Ordner {folder} gibt es nicht.</translation>
    </message>
    <message>
        <source>The value of {name} is missing.</source>
        <translation>Der Wert von {name} fehlt.</translation>
    </message>
    <message>
        <source>Enter it in Settings, Tools.</source>
        <translation>Geben Sie ihn unter Einstellungen, Werkzeuge ein.</translation>
    </message>
    <message>
        <source>This server cannot be signed in to.</source>
        <translation>Bei diesem Server kann man sich nicht anmelden.</translation>
    </message>
    <message>
        <source>Sign in to servers over https.</source>
        <translation>Melden Sie sich bei Servern über https an.</translation>
    </message>
    <message>
        <source>Try again later.</source>
        <translation>Versuchen Sie es später erneut.</translation>
    </message>
    <message>
        <source>Check the address in Settings, Tools, or try again later.</source>
        <translation>Prüfen Sie die Adresse unter Einstellungen, Werkzeuge, oder versuchen Sie es später erneut.</translation>
    </message>
    <message>
        <source>The key of {label} is missing.</source>
        <translation>Der Schlüssel von {label} fehlt.</translation>
    </message>
    <message>
        <source>{server} answered, but not as {label} does.</source>
        <translation>{server} hat geantwortet, aber nicht so wie {label}.</translation>
    </message>
    <message>
        <source>SearXNG does not answer programs.</source>
        <translation>SearXNG antwortet Programmen nicht.</translation>
    </message>
    <message>
        <source>Add json to search.formats in its settings.yml, or choose another.</source>
        <translation>Fügen Sie json zu search.formats in settings.yml hinzu, oder wählen Sie eine andere Suchmaschine.</translation>
    </message>
    <message>
        <source>{label} does not take this key.</source>
        <translation>{label} nimmt diesen Schlüssel nicht an.</translation>
    </message>
    <message>
        <source>{label} takes no more searches for now.</source>
        <translation>{label} nimmt vorerst keine weiteren Suchen an.</translation>
    </message>
    <message>
        <source>Wait, or look at your plan there.</source>
        <translation>Warten Sie, oder sehen Sie dort in Ihrem Tarif nach.</translation>
    </message>
    <message>
        <source>{label} answered with {status}.</source>
        <translation>{label} hat mit {status} geantwortet.</translation>
    </message>
    <message>
        <source>The web could not be searched.</source>
        <translation>Das Web konnte nicht durchsucht werden.</translation>
    </message>
    <message>
        <source>Not encrypted: others on the network could read what is searched for.</source>
        <translation>Nicht verschlüsselt: Andere im Netz könnten lesen, wonach gesucht wird.</translation>
    </message>
    <message>
        <source>The web cannot be searched like this.</source>
        <translation>So kann das Web nicht durchsucht werden.</translation>
    </message>
    <message>
        <source>{label} wants a key.</source>
        <translation>{label} verlangt einen Schlüssel.</translation>
    </message>
    <message>
        <source>Choose one in Settings, Tools.</source>
        <translation>Wählen Sie eine unter Einstellungen, Werkzeuge.</translation>
    </message>
    <message>
        <source>There is nothing to search for.</source>
        <translation>Es gibt nichts, wonach gesucht werden kann.</translation>
    </message>
    <message>
        <source>It found no page about {tried_with}.</source>
        <translation>Es wurde keine Seite über {tried_with} gefunden.</translation>
    </message>
    <message>
        <source>The address of SearXNG is one like https://searx.example.org.</source>
        <translation>Die Adresse von SearXNG hat die Form https://searx.example.org.</translation>
    </message>
    <message>
        <source>The export ended unexpectedly.</source>
        <translation>Der Export wurde unerwartet beendet.</translation>
    </message>
    <message>
        <source>Try again, or another format.</source>
        <translation>Versuchen Sie es erneut oder in einem anderen Format.</translation>
    </message>
    <message>
        <source>The pages were not finished in time.</source>
        <translation>Die Seiten wurden nicht rechtzeitig fertig.</translation>
    </message>
    <message>
        <source>Export as HTML and print that.</source>
        <translation>Exportieren Sie als HTML und drucken Sie diese Datei.</translation>
    </message>
    <message>
        <source>The PDF could not be made: {reason}.</source>
        <translation>Das PDF konnte nicht erstellt werden: {reason}.</translation>
    </message>
    <message>
        <source>This file contains more chats than can be read at once.</source>
        <translation>Diese Datei enthält mehr Chats, als auf einmal gelesen werden können.</translation>
    </message>
    <message>
        <source>The CSV file is cut off or damaged.</source>
        <translation>Die CSV-Datei ist abgeschnitten oder beschädigt.</translation>
    </message>
    <message>
        <source>Export the chats again, then import that file.</source>
        <translation>Exportieren Sie die Chats noch einmal und importieren Sie dann diese Datei.</translation>
    </message>
    <message>
        <source>There is not enough room on the disk to open the zip files in this one.</source>
        <translation>Auf dem Datenträger ist nicht genug Platz, um die ZIP-Dateien in dieser zu öffnen.</translation>
    </message>
    <message>
        <source>Make room, or unpack it and import the zip file of the conversations alone.</source>
        <translation>Schaffen Sie Platz, oder entpacken Sie sie und importieren Sie nur die ZIP-Datei der Gespräche.</translation>
    </message>
    <message>
        <source>The zip file is damaged or not complete.</source>
        <translation>Die ZIP-Datei ist beschädigt oder unvollständig.</translation>
    </message>
    <message>
        <source>Download the export again, then import it.</source>
        <translation>Laden Sie den Export erneut herunter und importieren Sie ihn dann.</translation>
    </message>
    <message>
        <source>The zip file claims more files than an export has.</source>
        <translation>Die ZIP-Datei gibt mehr Dateien an, als ein Export hat.</translation>
    </message>
    <message>
        <source>The zip file is protected by a password.</source>
        <translation>Die ZIP-Datei ist mit einem Passwort geschützt.</translation>
    </message>
    <message>
        <source>Unpack it, then import the JSON file in it.</source>
        <translation>Entpacken Sie sie und importieren Sie die JSON-Datei darin.</translation>
    </message>
    <message>
        <source>The zip file is packed in a way that exports are not.</source>
        <translation>Die ZIP-Datei ist anders gepackt als Exporte.</translation>
    </message>
    <message>
        <source>The zip file unpacks to far more than an export holds, so it was not opened.</source>
        <translation>Entpackt wäre die ZIP-Datei weit größer als ein Export, deshalb wurde sie nicht geöffnet.</translation>
    </message>
    <message>
        <source>This file was written by a newer ChatDesk (format version {version}).</source>
        <translation>Diese Datei stammt aus einer neueren ChatDesk-Version (Formatversion {version}).</translation>
    </message>
    <message>
        <source>Update ChatDesk, then import it.</source>
        <translation>Aktualisieren Sie ChatDesk und importieren Sie sie dann.</translation>
    </message>
    <message>
        <source>This backup contains more text than can be read at once.</source>
        <translation>Diese Sicherung enthält mehr Text, als auf einmal gelesen werden kann.</translation>
    </message>
    <message>
        <source>The answer failed.</source>
        <translation>Die Antwort ist fehlgeschlagen.</translation>
    </message>
    <message>
        <source>Entry {number}</source>
        <translation>Eintrag {number}</translation>
    </message>
    <message>
        <source>It contains no messages.</source>
        <translation>Sie enthält keine Nachrichten.</translation>
    </message>
    <message>
        <source>Entry {number} of {name}</source>
        <translation>Eintrag {number} von {name}</translation>
    </message>
    <message>
        <source>“{key}” of {name}</source>
        <translation>„{key}“ von {name}</translation>
    </message>
    <message>
        <source>Nothing after it could be read.</source>
        <translation>Was danach kommt, konnte nicht gelesen werden.</translation>
    </message>
    <message>
        <source>The file is damaged or not complete.</source>
        <translation>Die Datei ist beschädigt oder unvollständig.</translation>
    </message>
    <message>
        <source>The rest of the file could not be read.</source>
        <translation>Der Rest der Datei konnte nicht gelesen werden.</translation>
    </message>
    <message>
        <source>This file is one conversation that is larger than any export holds.</source>
        <translation>Diese Datei ist ein Gespräch, das größer ist als jeder Export.</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads were here already.</source>
        <comment>{count} thread was here already.</comment>
        <translation>
            <numerusform>{count} Unterhaltung war schon hier.</numerusform>
            <numerusform>{count} Unterhaltungen waren schon hier.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads were in the trash and left there.</source>
        <comment>{count} thread was in the trash and left there.</comment>
        <translation>
            <numerusform>{count} Unterhaltung lag im Papierkorb und blieb dort.</numerusform>
            <numerusform>{count} Unterhaltungen lagen im Papierkorb und blieben dort.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads were deleted for good before and left out.</source>
        <comment>{count} thread was deleted for good before and left out.</comment>
        <translation>
            <numerusform>{count} Unterhaltung war früher endgültig gelöscht und wurde weggelassen.</numerusform>
            <numerusform>{count} Unterhaltungen waren früher endgültig gelöscht und wurden weggelassen.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} entries were skipped.</source>
        <comment>{count} entry was skipped.</comment>
        <translation>
            <numerusform>{count} Eintrag wurde übersprungen.</numerusform>
            <numerusform>{count} Einträge wurden übersprungen.</numerusform>
        </translation>
    </message>
    <message>
        <source>There was nothing to import.</source>
        <translation>Es gab nichts zu importieren.</translation>
    </message>
    <message>
        <source>The import was stopped. Import the same file again to continue.</source>
        <translation>Der Import wurde angehalten. Importieren Sie dieselbe Datei erneut, um fortzufahren.</translation>
    </message>
    <message numerus="yes">
        <source>{count} new threads</source>
        <comment>{count} new thread</comment>
        <translation>
            <numerusform>{count} neue Unterhaltung</numerusform>
            <numerusform>{count} neue Unterhaltungen</numerusform>
        </translation>
    </message>
    <message>
        <source>Would import {threads} with {messages}.</source>
        <translation>Würde importieren: {threads} mit {messages}.</translation>
    </message>
    <message>
        <source>Imported {threads} with {messages}.</source>
        <translation>Importiert: {threads} mit {messages}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads with new messages</source>
        <comment>{count} thread with new messages</comment>
        <translation>
            <numerusform>{count} Unterhaltung mit neuen Nachrichten</numerusform>
            <numerusform>{count} Unterhaltungen mit neuen Nachrichten</numerusform>
        </translation>
    </message>
    <message>
        <source>Would import {threads} and {grown}, {messages} in all.</source>
        <translation>Würde importieren: {threads} und {grown}, insgesamt {messages}.</translation>
    </message>
    <message>
        <source>Imported {threads} and {grown}, {messages} in all.</source>
        <translation>Importiert: {threads} und {grown}, insgesamt {messages}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} files that messages name are not in the export.</source>
        <comment>{count} file that messages name is not in the export.</comment>
        <translation>
            <numerusform>{count} in Nachrichten genannte Datei ist nicht im Export.</numerusform>
            <numerusform>{count} in Nachrichten genannte Dateien sind nicht im Export.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages that the vendor hides were left out.</source>
        <comment>{count} message that the vendor hides was left out.</comment>
        <translation>
            <numerusform>{count} Nachricht, die der Hersteller verbirgt, wurde weggelassen.</numerusform>
            <numerusform>{count} Nachrichten, die der Hersteller verbirgt, wurden weggelassen.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} marks of sources that the export does not name were left out.</source>
        <comment>{count} mark of a source that the export does not name was left out.</comment>
        <translation>
            <numerusform>{count} Quellenmarke, die der Export nicht benennt, wurde weggelassen.</numerusform>
            <numerusform>{count} Quellenmarken, die der Export nicht benennt, wurden weggelassen.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The export contains {count} memories.</source>
        <comment>The export contains {count} memory.</comment>
        <translation>
            <numerusform>Der Export enthält {count} Erinnerung.</numerusform>
            <numerusform>Der Export enthält {count} Erinnerungen.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} more are beyond the most that ChatDesk keeps.</source>
        <comment>{count} more is beyond the most that ChatDesk keeps.</comment>
        <translation>
            <numerusform>{count} weitere übersteigt das Höchste, was ChatDesk behält.</numerusform>
            <numerusform>{count} weitere übersteigen das Höchste, was ChatDesk behält.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} of them are remembered now.</source>
        <comment>{count} of them is remembered now.</comment>
        <translation>
            <numerusform>{count} davon ist jetzt gemerkt.</numerusform>
            <numerusform>{count} davon sind jetzt gemerkt.</numerusform>
        </translation>
    </message>
    <message>
        <source>None was taken: memories are kept only where you choose them.</source>
        <translation>Keine wurde übernommen: Erinnerungen werden nur behalten, wenn Sie sie auswählen.</translation>
    </message>
    <message>
        <source>{outcome}: {title} ({reason})</source>
        <translation>{outcome}: {title} ({reason})</translation>
    </message>
    <message>
        <source>{outcome}: {title}</source>
        <translation>{outcome}: {title}</translation>
    </message>
    <message>
        <source>{outcome}: {title} ({messages}; {reason})</source>
        <translation>{outcome}: {title} ({messages}; {reason})</translation>
    </message>
    <message>
        <source>{outcome}: {title} ({messages})</source>
        <translation>{outcome}: {title} ({messages})</translation>
    </message>
    <message>
        <source>It is in the trash. Restore it and import again to have what is new.</source>
        <translation>Sie liegt im Papierkorb. Stellen Sie sie wieder her und importieren Sie erneut, um das Neue zu bekommen.</translation>
    </message>
    <message>
        <source>It was deleted for good.</source>
        <translation>Sie wurde endgültig gelöscht.</translation>
    </message>
    <message>
        <source>An import is running already.</source>
        <translation>Ein Import läuft schon.</translation>
    </message>
    <message>
        <source>Some characters could not be read and are shown as �.</source>
        <translation>Einige Zeichen konnten nicht gelesen werden und werden als � gezeigt.</translation>
    </message>
    <message>
        <source>The virus scanner found something in this file, so it was kept out.</source>
        <translation>Der Virenscanner hat etwas in dieser Datei gefunden, deshalb wurde sie nicht übernommen.</translation>
    </message>
    <message numerus="yes">
        <source>{count} prompts were imported, too.</source>
        <comment>{count} prompt was imported, too.</comment>
        <translation>
            <numerusform>{count} Prompt wurde ebenfalls importiert.</numerusform>
            <numerusform>{count} Prompts wurden ebenfalls importiert.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} drafts were imported, too.</source>
        <comment>{count} draft was imported, too.</comment>
        <translation>
            <numerusform>{count} Entwurf wurde ebenfalls importiert.</numerusform>
            <numerusform>{count} Entwürfe wurden ebenfalls importiert.</numerusform>
        </translation>
    </message>
    <message>
        <source>What was imported so far is complete. Import the same file again to continue.</source>
        <translation>Was bisher importiert wurde, ist vollständig. Importieren Sie dieselbe Datei erneut, um fortzufahren.</translation>
    </message>
    <message>
        <source>{name} is not a file.</source>
        <translation>{name} ist keine Datei.</translation>
    </message>
    <message>
        <source>Choose the export itself.</source>
        <translation>Wählen Sie den Export selbst.</translation>
    </message>
    <message>
        <source>This backup contains Cherry Studio&apos;s database as it is, which ChatDesk cannot read.</source>
        <translation>Diese Sicherung enthält die Datenbank von Cherry Studio, wie sie ist; ChatDesk kann sie nicht lesen.</translation>
    </message>
    <message>
        <source>In Cherry Studio open Settings, Data Settings, Export to Phone, and export to a file.</source>
        <translation>Öffnen Sie in Cherry Studio Einstellungen, Dateneinstellungen, Export aufs Telefon, und exportieren Sie in eine Datei.</translation>
    </message>
    <message>
        <source>This is a page to be read, not the data of an export.</source>
        <translation>Das ist eine Seite zum Lesen, nicht die Daten eines Exports.</translation>
    </message>
    <message>
        <source>Choose the zip file of the export as it came. If it contains only pages, ask for it again with JSON as its format: Google Takeout has a choice for that.</source>
        <translation>Wählen Sie die ZIP-Datei des Exports, wie sie kam. Enthält sie nur Seiten, fordern Sie ihn noch einmal mit JSON als Format an: Google Takeout lässt das Format wählen.</translation>
    </message>
    <message>
        <source>Choose an export of one of these programs: {programs}.</source>
        <translation>Wählen Sie einen Export eines dieser Programme: {programs}.</translation>
    </message>
    <message>
        <source>There is nothing in this folder that ChatDesk can import.</source>
        <translation>In diesem Ordner ist nichts, was ChatDesk importieren kann.</translation>
    </message>
    <message>
        <source>There is nothing in this file that ChatDesk can import.</source>
        <translation>In dieser Datei ist nichts, was ChatDesk importieren kann.</translation>
    </message>
    <message>
        <source>This file is not an export that ChatDesk knows.</source>
        <translation>Diese Datei ist kein Export, den ChatDesk kennt.</translation>
    </message>
    <message>
        <source>{name} is cut off: its end is missing.</source>
        <translation>{name} ist abgeschnitten: Das Ende fehlt.</translation>
    </message>
    <message>
        <source>{name} could not be read: {reason}.</source>
        <translation>{name} konnte nicht gelesen werden: {reason}.</translation>
    </message>
    <message>
        <source>Check the file.</source>
        <translation>Prüfen Sie die Datei.</translation>
    </message>
    <message>
        <source>This folder contains far more files than a program&apos;s chats would have.</source>
        <translation>Dieser Ordner enthält weit mehr Dateien als die Chats eines Programms.</translation>
    </message>
    <message>
        <source>Choose the folder of the chats.</source>
        <translation>Wählen Sie den Ordner der Chats.</translation>
    </message>
    <message>
        <source>The page of releases does not say which version is the newest.</source>
        <translation>Auf der Seite der Versionen steht nicht, welche die neueste ist.</translation>
    </message>
    <message>
        <source>Installed from a package: the updates of this computer bring new versions, such as “apt upgrade”.</source>
        <translation>Aus einem Paket installiert: Neue Versionen kommen mit den Aktualisierungen dieses Computers, etwa „apt upgrade“.</translation>
    </message>
    <message>
        <source>Installed as a Flatpak: the updates of this computer bring new versions, or “flatpak update”.</source>
        <translation>Als Flatpak installiert: Neue Versionen kommen mit den Aktualisierungen dieses Computers oder mit „flatpak update“.</translation>
    </message>
    <message>
        <source>Installed as a snap: the system brings new versions by itself.</source>
        <translation>Als Snap installiert: Das System bringt neue Versionen von selbst.</translation>
    </message>
    <message>
        <source>Installed with pipx: “pipx upgrade chatdesk” brings a new version.</source>
        <translation>Mit pipx installiert: „pipx upgrade chatdesk“ bringt eine neue Version.</translation>
    </message>
    <message>
        <source>Installed with pip: “pip install --upgrade chatdesk” brings a new version.</source>
        <translation>Mit pip installiert: „pip install --upgrade chatdesk“ bringt eine neue Version.</translation>
    </message>
    <message>
        <source>A checkout: “git pull” brings a new version.</source>
        <translation>Ein Checkout: „git pull“ bringt eine neue Version.</translation>
    </message>
    <message>
        <source>The portable program: start a newer .run file once to put a new version in its place.</source>
        <translation>Das portable Programm: Starten Sie einmal eine neuere .run-Datei, um es durch eine neue Version zu ersetzen.</translation>
    </message>
    <message>
        <source>This copy does not update itself: unpack a newer one in its place.</source>
        <translation>Diese Kopie aktualisiert sich nicht selbst: Entpacken Sie eine neuere an ihrer Stelle.</translation>
    </message>
    <message>
        <source>January</source>
        <translation>Januar</translation>
    </message>
    <message>
        <source>February</source>
        <translation>Februar</translation>
    </message>
    <message>
        <source>March</source>
        <translation>März</translation>
    </message>
    <message>
        <source>April</source>
        <translation>April</translation>
    </message>
    <message>
        <source>May</source>
        <translation>Mai</translation>
    </message>
    <message>
        <source>June</source>
        <translation>Juni</translation>
    </message>
    <message>
        <source>July</source>
        <translation>Juli</translation>
    </message>
    <message>
        <source>August</source>
        <translation>August</translation>
    </message>
    <message>
        <source>September</source>
        <translation>September</translation>
    </message>
    <message>
        <source>October</source>
        <translation>Oktober</translation>
    </message>
    <message>
        <source>November</source>
        <translation>November</translation>
    </message>
    <message>
        <source>December</source>
        <translation>Dezember</translation>
    </message>
    <message>
        <source>There may be {most_limits} limits, one of a kind for each period.</source>
        <translation>Es darf {most_limits} Limits geben, eines jeder Art für jeden Zeitraum.</translation>
    </message>
    <message>
        <source>The old limits hold on.</source>
        <translation>Die alten Limits gelten weiter.</translation>
    </message>
    <message>
        <source>Remove one of them.</source>
        <translation>Entfernen Sie eines davon.</translation>
    </message>
    <message>
        <source>The warning at {amount} {name} is passed: with this question it is about {spent}.</source>
        <translation>Die Warnung bei {amount} {name} ist überschritten: Mit dieser Frage sind es etwa {spent}.</translation>
    </message>
    <message>
        <source>Nothing is sent beyond {amount}.</source>
        <translation>Über {amount} hinaus wird nichts gesendet.</translation>
    </message>
    <message>
        <source>Titles and summaries wait.</source>
        <translation>Titel und Zusammenfassungen warten.</translation>
    </message>
    <message>
        <source>A limit must be a number from 0 on.</source>
        <translation>Ein Limit muss eine Zahl ab 0 sein.</translation>
    </message>
    <message>
        <source>Correct the number.</source>
        <translation>Berichtigen Sie die Zahl.</translation>
    </message>
    <message>
        <source>The warning {name} is above its stop.</source>
        <translation>Die Warnung {name} liegt über dem Halt.</translation>
    </message>
    <message>
        <source>The limit starts again {end}. Raise it, or send this question anyway.</source>
        <translation>Das Limit beginnt {end} neu. Erhöhen Sie es, oder senden Sie diese Frage trotzdem.</translation>
    </message>
    <message>
        <source>Give the warning a smaller number.</source>
        <translation>Geben Sie der Warnung eine kleinere Zahl.</translation>
    </message>
    <message>
        <source>tomorrow</source>
        <translation>morgen</translation>
    </message>
    <message>
        <source>on {day} {month}</source>
        <translation>am {day}. {month}</translation>
    </message>
    <message>
        <source>The limit of {amount} {name} is reached: {spent} are used.</source>
        <translation>Das Limit von {amount} {name} ist erreicht: {spent} sind verbraucht.</translation>
    </message>
    <message>
        <source>The limit of {amount} {name} is reached: {spent} are used and this question needs about {needed}.</source>
        <translation>Das Limit von {amount} {name} ist erreicht: {spent} sind verbraucht, und diese Frage braucht etwa {needed}.</translation>
    </message>
    <message>
        <source>I am the **demo model** that comes with ChatDesk. I cannot work on this, but a model that you connect can.</source>
        <translation>Ich bin das **Demo-Modell** von ChatDesk. Daran kann ich nicht arbeiten, ein Modell, das Sie verbinden, aber schon.</translation>
    </message>
    <message>
        <source>This is where a real model would answer. I am the **demo model**: I need no network, and I know nothing.</source>
        <translation>Hier würde ein echtes Modell antworten. Ich bin das **Demo-Modell**: Ich brauche kein Netz, und ich weiß nichts.</translation>
    </message>
    <message>
        <source>A good question for a real model! I am the **demo model** and can only show what ChatDesk does.</source>
        <translation>Eine gute Frage an ein echtes Modell! Ich bin das **Demo-Modell** und kann nur zeigen, was ChatDesk tut.</translation>
    </message>
    <message>
        <source>I am the **demo model** and cannot work on this. Here is how ChatDesk shows such an answer:</source>
        <translation>Ich bin das **Demo-Modell** und kann daran nicht arbeiten. So zeigt ChatDesk eine solche Antwort:</translation>
    </message>
    <message>
        <source>A real model would answer here. This is what its answer could look like:</source>
        <translation>Hier würde ein echtes Modell antworten. So könnte seine Antwort aussehen:</translation>
    </message>
    <message>
        <source>I know nothing, but I can show you how such an answer looks in ChatDesk:</source>
        <translation>Ich weiß nichts, aber ich kann zeigen, wie eine solche Antwort in ChatDesk aussieht:</translation>
    </message>
    <message>
        <source>This was the **demo model**, which comes with ChatDesk. To get real answers choose *Add provider…* in the list of models at the top. `/demo` lists what else I can show.</source>
        <translation>Das war das **Demo-Modell** von ChatDesk. Echte Antworten bekommen Sie mit *Anbieter hinzufügen…* in der Liste der Modelle oben. `/demo` nennt, was ich sonst noch zeigen kann.</translation>
    </message>
    <message>
        <source>Hello!</source>
        <translation>Hallo!</translation>
    </message>
    <message>
        <source>Try one of these with me:</source>
        <translation>Probieren Sie etwas davon mit mir aus:</translation>
    </message>
    <message>
        <source>To get real answers choose *Add provider…* in the list of models at the top.</source>
        <translation>Echte Antworten bekommen Sie mit *Anbieter hinzufügen…* in der Liste der Modelle oben.</translation>
    </message>
    <message>
        <source>Ask for</source>
        <translation>Fragen Sie nach</translation>
    </message>
    <message>
        <source>and see</source>
        <translation>und sehen Sie</translation>
    </message>
    <message>
        <source>*a tour*</source>
        <translation>*Rundgang*</translation>
    </message>
    <message>
        <source>what ChatDesk can do</source>
        <translation>was ChatDesk kann</translation>
    </message>
    <message>
        <source>*code*, *a table*, *a formula*, *a plan*</source>
        <translation>*Code*, *Tabelle*, *Formel*, *Plan*</translation>
    </message>
    <message>
        <source>how an answer is drawn</source>
        <translation>wie eine Antwort dargestellt wird</translation>
    </message>
    <message>
        <source>a long answer, to scroll and to stop</source>
        <translation>eine lange Antwort, zum Scrollen und Anhalten</translation>
    </message>
    <message>
        <source>what happens when a connection breaks</source>
        <translation>was geschieht, wenn eine Verbindung abbricht</translation>
    </message>
    <message>
        <source>everything else</source>
        <translation>alles Weitere</translation>
    </message>
    <message>
        <source>I am the **demo model**. I come with ChatDesk, need no network and no account, and know nothing; but I can show you what ChatDesk does with the answers of a real model.</source>
        <translation>Ich bin das **Demo-Modell**. Ich gehöre zu ChatDesk, brauche weder Netz noch Konto und weiß nichts; aber ich kann zeigen, was ChatDesk mit den Antworten eines echten Modells tut.</translation>
    </message>
    <message>
        <source>What you can do</source>
        <translation>Was Sie tun können</translation>
    </message>
    <message>
        <source>How</source>
        <translation>Wie</translation>
    </message>
    <message>
        <source>Ask again, or another model</source>
        <translation>Erneut fragen oder ein anderes Modell fragen</translation>
    </message>
    <message>
        <source>the buttons below an answer, or Ctrl+R</source>
        <translation>die Schaltflächen unter einer Antwort oder Strg+R</translation>
    </message>
    <message>
        <source>Change a question</source>
        <translation>Eine Frage ändern</translation>
    </message>
    <message>
        <source>its pencil; the old version stays</source>
        <translation>ihr Stift; die alte Version bleibt</translation>
    </message>
    <message>
        <source>Try another direction</source>
        <translation>Eine andere Richtung versuchen</translation>
    </message>
    <message>
        <source>*Branch* in the menu of a message</source>
        <translation>*In eine neue Unterhaltung abzweigen* im Menü einer Nachricht</translation>
    </message>
    <message>
        <source>Ask several models at once</source>
        <translation>Mehrere Modelle zugleich fragen</translation>
    </message>
    <message>
        <source>*Compare models…* in the list of models</source>
        <translation>*Modelle vergleichen…* in der Liste der Modelle</translation>
    </message>
    <message>
        <source>Attach a file or a picture</source>
        <translation>Eine Datei oder ein Bild anhängen</translation>
    </message>
    <message>
        <source>drop it on the window, or paste it</source>
        <translation>auf das Fenster ziehen oder einfügen</translation>
    </message>
    <message>
        <source>Stop an answer</source>
        <translation>Eine Antwort anhalten</translation>
    </message>
    <message>
        <source>Esc</source>
        <translation>Esc</translation>
    </message>
    <message>
        <source>**Ctrl+K** finds every word of every thread, **Ctrl+Shift+P** every command, and **F1** opens the help.</source>
        <translation>**Strg+K** findet jedes Wort jeder Unterhaltung, **Strg+Umschalt+P** jeden Befehl, und **F1** öffnet die Hilfe.</translation>
    </message>
    <message>
        <source>Projects, tags, pins and an archive keep order; what was deleted waits in the trash.</source>
        <translation>Projekte, Schlagwörter, Angeheftetes und ein Archiv halten Ordnung; Gelöschtes wartet im Papierkorb.</translation>
    </message>
    <message>
        <source>Everything is on this computer. *Import…* takes over what you have in ChatGPT, Claude and others.</source>
        <translation>Alles liegt auf diesem Computer. *Importieren…* übernimmt, was Sie in ChatGPT, Claude und anderen haben.</translation>
    </message>
    <message>
        <source>The window closes at any time: no word is lost, and an answer can be continued.</source>
        <translation>Das Fenster lässt sich jederzeit schließen: Kein Wort geht verloren, und eine Antwort lässt sich fortsetzen.</translation>
    </message>
    <message>
        <source>Choose *Add provider…* in the list of models at the top, and paste a key.</source>
        <translation>Wählen Sie *Anbieter hinzufügen…* in der Liste der Modelle oben, und fügen Sie einen Schlüssel ein.</translation>
    </message>
    <message>
        <source>Or start a server on this computer, such as Ollama: it is found by itself.</source>
        <translation>Oder starten Sie einen Server auf diesem Computer, etwa Ollama: Er wird von selbst gefunden.</translation>
    </message>
    <message>
        <source>Type `/demo` to see what else I can show.</source>
        <translation>Schreiben Sie `/demo`, um zu sehen, was ich sonst noch zeigen kann.</translation>
    </message>
    <message>
        <source>Answers</source>
        <translation>Antworten</translation>
    </message>
    <message>
        <source>Code has colours, a button to copy it, and scrolls on its own:</source>
        <translation>Code ist farbig, lässt sich mit einer Schaltfläche kopieren und scrollt für sich:</translation>
    </message>
    <message>
        <source>Formulas are drawn, {formula}, and tables are tables:</source>
        <translation>Formeln werden gesetzt, {formula}, und Tabellen sind Tabellen:</translation>
    </message>
    <message>
        <source>Your threads</source>
        <translation>Ihre Unterhaltungen</translation>
    </message>
    <message>
        <source>Next</source>
        <comment>steps</comment>
        <translation>Wie es weitergeht</translation>
    </message>
    <message>
        <source>Tools</source>
        <translation>Werkzeuge</translation>
    </message>
    <message>
        <source>Embeddings</source>
        <translation>Embeddings</translation>
    </message>
    <message>
        <source>Week of {words}</source>
        <translation>Woche ab {words}</translation>
    </message>
    <message>
        <source>The server&apos;s own model</source>
        <translation>Eigenes Modell des Servers</translation>
    </message>
    <message>
        <source>A project that is gone</source>
        <translation>Ein Projekt, das es nicht mehr gibt</translation>
    </message>
    <message>
        <source>No project</source>
        <translation>Kein Projekt</translation>
    </message>
    <message>
        <source>There is no such token.</source>
        <translation>Dieses Token gibt es nicht.</translation>
    </message>
    <message>
        <source>&apos;chatdesk tokens list&apos; shows them all.</source>
        <translation>&apos;chatdesk tokens list&apos; zeigt alle.</translation>
    </message>
    <message>
        <source>A token needs a name.</source>
        <translation>Ein Token braucht einen Namen.</translation>
    </message>
    <message>
        <source>Give it the name of the program that will use it.</source>
        <translation>Geben Sie ihm den Namen des Programms, das es verwenden wird.</translation>
    </message>
    <message>
        <source>There is already a token called “{name}”.</source>
        <translation>Es gibt schon ein Token namens „{name}“.</translation>
    </message>
    <message>
        <source>The folder of the tokens, {folder}, cannot be written to: {reason}.</source>
        <translation>In den Ordner der Token, {folder}, kann nicht geschrieben werden: {reason}.</translation>
    </message>
    <message>
        <source>Make it writable; on Linux XDG_STATE_HOME may name another place, here and for the service.</source>
        <translation>Machen Sie ihn beschreibbar; unter Linux kann XDG_STATE_HOME einen anderen Ort nennen, hier und für den Dienst.</translation>
    </message>
    <message>
        <source>owner</source>
        <comment>data directory</comment>
        <translation>Inhaber</translation>
    </message>
    <message>
        <source>complete</source>
        <translation>fertig</translation>
    </message>
    <message>
        <source>database</source>
        <translation>Datenbank</translation>
    </message>
    <message>
        <source>settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>valid</source>
        <translation>gültig</translation>
    </message>
    <message>
        <source>{key} (on, {until})</source>
        <translation>{key} (an, {until})</translation>
    </message>
    <message>
        <source>{key} (off, {until})</source>
        <translation>{key} (aus, {until})</translation>
    </message>
    <message>
        <source>valid; tried out until the day given: {trials}</source>
        <translation>gültig; in Erprobung bis zum genannten Tag: {trials}</translation>
    </message>
    <message>
        <source>{path} (made when the first thread is)</source>
        <translation>{path} (entsteht mit der ersten Unterhaltung)</translation>
    </message>
    <message>
        <source>Restore a backup (&apos;chatdesk restore --list&apos;; they are in {backup_dir}), or copy out what reads with &apos;chatdesk doctor --repair&apos;.</source>
        <translation>Stellen Sie eine Sicherung wieder her (&apos;chatdesk restore --list&apos;; sie liegen in {backup_dir}), oder kopieren Sie das Lesbare mit &apos;chatdesk doctor --repair&apos; heraus.</translation>
    </message>
    <message>
        <source>&apos;chatdesk doctor --repair&apos; repairs it.</source>
        <translation>&apos;chatdesk doctor --repair&apos; repariert sie.</translation>
    </message>
    <message numerus="yes">
        <source>{path} is damaged ({count} findings: {first}).</source>
        <comment>{path} is damaged ({count} finding: {first}).</comment>
        <translation>
            <numerusform>{path} ist beschädigt ({count} Befund: {first}).</numerusform>
            <numerusform>{path} ist beschädigt ({count} Befunde: {first}).</numerusform>
        </translation>
    </message>
    <message>
        <source>{path} is sound; schema {schema}, SQLite {sqlite}</source>
        <translation>{path} ist in Ordnung; Schema {schema}, SQLite {sqlite}</translation>
    </message>
    <message>
        <source>database opening</source>
        <translation>Öffnen der Datenbank</translation>
    </message>
    <message>
        <source>database writing</source>
        <translation>Schreiben der Datenbank</translation>
    </message>
    <message>
        <source>workspace {name}</source>
        <translation>Arbeitsbereich {name}</translation>
    </message>
    <message>
        <source>{database} on {host}; parked: this profile was restored or repaired, or a copy of it is in use; Connect again in Settings, Team sync, or &apos;chatdesk team join&apos; connects</source>
        <translation>{database} auf {host}; geparkt: Dieses Profil wurde wiederhergestellt oder repariert, oder eine Kopie davon ist in Gebrauch; „Wieder verbinden“ unter Einstellungen, Teamabgleich, oder &apos;chatdesk team join&apos; verbindet</translation>
    </message>
    <message>
        <source>{shared} shared, {waiting} waiting to be sent, {refused} refused</source>
        <translation>{shared} geteilt, {waiting} noch zu senden, {refused} abgelehnt</translation>
    </message>
    <message>
        <source>nothing was synced yet</source>
        <translation>es wurde noch nichts abgeglichen</translation>
    </message>
    <message>
        <source>newest line of its log, {at}: {problem}</source>
        <translation>neueste Zeile des Protokolls, {at}: {problem}</translation>
    </message>
    <message>
        <source>newest line of its log, {at}: {sent} sent, {received} received</source>
        <translation>neueste Zeile des Protokolls, {at}: {sent} gesendet, {received} empfangen</translation>
    </message>
    <message>
        <source>Details in the line below the threads says why, copies out, and tries again</source>
        <translation>„Details…“ in der Zeile unter den Unterhaltungen nennt den Grund, kopiert heraus und versucht es erneut</translation>
    </message>
    <message>
        <source>{let_in} shared with you again; choose Share… to send their copies</source>
        <translation>{let_in} wieder mit Ihnen geteilt; wählen Sie „Teilen…“, um die Kopien zu senden</translation>
    </message>
    <message>
        <source>{first}; {rest}</source>
        <translation>{first}; {rest}</translation>
    </message>
    <message>
        <source>provider {name}</source>
        <translation>Anbieter {name}</translation>
    </message>
    <message>
        <source>file of providers</source>
        <translation>Anbieterdatei</translation>
    </message>
    <message>
        <source>there is none yet</source>
        <translation>noch keine vorhanden</translation>
    </message>
    <message>
        <source>A backup in {backup_dir} may still have the original.</source>
        <translation>Eine Sicherung in {backup_dir} enthält vielleicht noch das Original.</translation>
    </message>
    <message>
        <source>no window is open and no other command is running</source>
        <translation>kein Fenster ist offen und kein anderer Befehl läuft</translation>
    </message>
    <message>
        <source>a window</source>
        <translation>ein Fenster</translation>
    </message>
    <message>
        <source>{name}, process {pid}</source>
        <translation>{name}, Prozess {pid}</translation>
    </message>
    <message>
        <source>{who}, does not answer. If it hangs, end it.</source>
        <translation>{who} antwortet nicht. Falls es hängt, beenden Sie den Prozess.</translation>
    </message>
    <message>
        <source>{count} {status}</source>
        <translation>{count} {status}</translation>
    </message>
    <message>
        <source>{who}, open for {minutes} min; {late} ms late at most; answers: {answers}; {waiting} waiting.</source>
        <translation>{who}, seit {minutes} min offen; höchstens {late} ms verspätet; Antworten: {answers}; {waiting} wartend.</translation>
    </message>
    <message>
        <source>Its database cannot be read ({reason}).</source>
        <translation>Die Datenbank kann nicht gelesen werden ({reason}).</translation>
    </message>
    <message>
        <source>the last write failed</source>
        <translation>das letzte Schreiben ist fehlgeschlagen</translation>
    </message>
    <message>
        <source>It cannot save ({reason}).</source>
        <translation>Es kann nicht speichern ({reason}).</translation>
    </message>
    <message>
        <source>It reacts late.</source>
        <translation>Es reagiert verspätet.</translation>
    </message>
    <message>
        <source>Provider {id} cannot be reached.</source>
        <translation>Anbieter {id} ist nicht erreichbar.</translation>
    </message>
    <message>
        <source>Workspace {workspace}: {reason}.</source>
        <translation>Arbeitsbereich {workspace}: {reason}.</translation>
    </message>
    <message>
        <source>keyring</source>
        <translation>Schlüsselbund</translation>
    </message>
    <message>
        <source>{detail} Keys come from variables or an encrypted file, or hold for one run.</source>
        <translation>{detail} Schlüssel kommen aus Variablen oder einer verschlüsselten Datei oder gelten bis zum Beenden.</translation>
    </message>
    <message>
        <source>{missing} missing or damaged: token counts are estimates.</source>
        <translation>{missing} fehlen oder sind beschädigt: Tokenzahlen sind Schätzungen.</translation>
    </message>
    <message>
        <source>token encodings</source>
        <translation>Token-Kodierungen</translation>
    </message>
    <message>
        <source>both here and intact</source>
        <translation>beide vorhanden und unversehrt</translation>
    </message>
    <message>
        <source>updates</source>
        <translation>Aktualisierungen</translation>
    </message>
    <message>
        <source>Another process has this data directory open.</source>
        <translation>Ein anderer Prozess hat dieses Datenverzeichnis geöffnet.</translation>
    </message>
    <message>
        <source>Restore in its window.</source>
        <translation>Stellen Sie in dessen Fenster wieder her.</translation>
    </message>
    <message>
        <source>The model did not answer within {longest_s} s.</source>
        <translation>Das Modell hat innerhalb von {longest_s} s nicht geantwortet.</translation>
    </message>
    <message>
        <source>Read projects, threads and messages</source>
        <translation>Projekte, Unterhaltungen und Nachrichten lesen</translation>
    </message>
    <message>
        <source>Create, change and trash threads and messages; write notes</source>
        <translation>Unterhaltungen und Nachrichten anlegen, ändern und in den Papierkorb legen; Notizen schreiben</translation>
    </message>
    <message>
        <source>Ask questions and stop answers</source>
        <translation>Fragen stellen und Antworten anhalten</translation>
    </message>
    <message>
        <source>Administer ChatDesk</source>
        <translation>ChatDesk verwalten</translation>
    </message>
    <message>
        <source>Connect from another computer</source>
        <translation>Von einem anderen Computer aus verbinden</translation>
    </message>
    <message>
        <source>The local service is off.</source>
        <translation>Der lokale Dienst ist aus.</translation>
    </message>
    <message>
        <source>Turn it on in the settings.</source>
        <translation>Schalten Sie ihn in den Einstellungen ein.</translation>
    </message>
    <message>
        <source>Close it first, or choose another --data-dir.</source>
        <translation>Schließen Sie es zuerst, oder wählen Sie ein anderes --data-dir.</translation>
    </message>
    <message>
        <source>The local service ended because of a fault in ChatDesk.</source>
        <translation>Der lokale Dienst wurde wegen eines Fehlers in ChatDesk beendet.</translation>
    </message>
    <message>
        <source>Try again; the log says more.</source>
        <translation>Versuchen Sie es erneut; Näheres steht im Protokoll.</translation>
    </message>
    <message>
        <source>You: {question}</source>
        <translation>Sie: {question}</translation>
    </message>
    <message>
        <source>Status: {status}. Thread: {id}.</source>
        <translation>Zustand: {status}. Unterhaltung: {id}.</translation>
    </message>
    <message>
        <source>Screenshot: {path}</source>
        <translation>Bildschirmfoto: {path}</translation>
    </message>
    <message>
        <source>Screenshot: could not be saved</source>
        <translation>Bildschirmfoto: konnte nicht gespeichert werden</translation>
    </message>
    <message>
        <source>Something failed that ChatDesk needs to start.</source>
        <translation>Etwas ist fehlgeschlagen, das ChatDesk zum Starten braucht.</translation>
    </message>
    <message>
        <source>Start it again; “chatdesk doctor” and the log say more.</source>
        <translation>Starten Sie es neu; Näheres sagen „chatdesk doctor“ und das Protokoll.</translation>
    </message>
    <message>
        <source>Not saved</source>
        <translation>Nicht gespeichert</translation>
    </message>
    <message>
        <source>All changes saved</source>
        <translation>Alles gespeichert</translation>
    </message>
    <message>
        <source>Not opened</source>
        <translation>Nicht geöffnet</translation>
    </message>
    <message>
        <source>Read only</source>
        <translation>Schreibgeschützt</translation>
    </message>
    <message>
        <source>The database was upgraded; a backup of the old one is kept.</source>
        <translation>Die Datenbank wurde aktualisiert; eine Sicherung der alten bleibt erhalten.</translation>
    </message>
    <message numerus="yes">
        <source>{count} answers were interrupted last time. The text is kept; Continue goes on.</source>
        <comment>An answer was interrupted last time. The text is kept; Continue goes on.</comment>
        <translation>
            <numerusform>Eine Antwort wurde beim letzten Mal unterbrochen. Der Text bleibt erhalten; mit „Fortsetzen“ geht es weiter.</numerusform>
            <numerusform>{count} Antworten wurden beim letzten Mal unterbrochen. Der Text bleibt erhalten; mit „Fortsetzen“ geht es weiter.</numerusform>
        </translation>
    </message>
    <message>
        <source>ChatDesk ended unexpectedly last time. Your messages are kept.</source>
        <translation>ChatDesk wurde beim letzten Mal unerwartet beendet. Ihre Nachrichten bleiben erhalten.</translation>
    </message>
    <message>
        <source>Help</source>
        <translation>Hilfe</translation>
    </message>
    <message>
        <source>The pages of help are not in this installation of ChatDesk.</source>
        <translation>Die Hilfeseiten sind nicht Teil dieser Installation von ChatDesk.</translation>
    </message>
    <message>
        <source>The pages of help open outside of ChatDesk. They are in {page}.</source>
        <translation>Die Hilfeseiten öffnen sich außerhalb von ChatDesk. Sie liegen in {page}.</translation>
    </message>
    <message>
        <source>Save the report</source>
        <translation>Bericht speichern</translation>
    </message>
    <message>
        <source>Zip (*.zip)</source>
        <translation>ZIP (*.zip)</translation>
    </message>
    <message>
        <source>Saved as {name}.</source>
        <translation>Als {name} gespeichert.</translation>
    </message>
    <message>
        <source>{one} and {other}</source>
        <translation>{one} und {other}</translation>
    </message>
    <message>
        <source>No connection to {providers}. Your questions are kept.</source>
        <translation>Keine Verbindung zu {providers}. Ihre Fragen bleiben erhalten.</translation>
    </message>
    <message numerus="yes">
        <source>No connection to {providers}. {count} questions are kept, and sent when it is back.</source>
        <comment>No connection to {providers}. Your question is kept, and sent when it is back.</comment>
        <translation>
            <numerusform>Keine Verbindung zu {providers}. Ihre Frage bleibt erhalten und wird gesendet, sobald sie wieder da ist.</numerusform>
            <numerusform>Keine Verbindung zu {providers}. {count} Fragen bleiben erhalten und werden gesendet, sobald sie wieder da ist.</numerusform>
        </translation>
    </message>
    <message>
        <source>Close a window first: {count} are open.</source>
        <translation>Schließen Sie zuerst ein Fenster: {count} sind offen.</translation>
    </message>
    <message>
        <source>A temporary chat stays in its place. Keep it to open it elsewhere.</source>
        <translation>Ein temporärer Chat bleibt an seinem Platz. Behalten Sie ihn, um ihn anderswo zu öffnen.</translation>
    </message>
    <message>
        <source>My message is in the attached file, because it is too long to be sent whole.</source>
        <translation>Meine Nachricht steht in der angehängten Datei, weil sie zu lang ist, um ganz gesendet zu werden.</translation>
    </message>
    <message>
        <source>Sent as a file, from which the model gets what fits</source>
        <translation>Als Datei gesendet, aus der das Modell bekommt, was hineinpasst</translation>
    </message>
    <message>
        <source>Type a message</source>
        <translation>Nachricht schreiben</translation>
    </message>
    <message>
        <source>New thread</source>
        <translation>Neue Unterhaltung</translation>
    </message>
    <message>
        <source>New temporary chat</source>
        <translation>Neuer temporärer Chat</translation>
    </message>
    <message>
        <source>Keep this temporary chat</source>
        <translation>Diesen temporären Chat behalten</translation>
    </message>
    <message>
        <source>Close the temporary chat</source>
        <translation>Den temporären Chat schließen</translation>
    </message>
    <message>
        <source>Rename thread</source>
        <translation>Unterhaltung umbenennen</translation>
    </message>
    <message>
        <source>Pin or unpin thread</source>
        <translation>Unterhaltung anheften oder lösen</translation>
    </message>
    <message>
        <source>Mark as read</source>
        <translation>Als gelesen markieren</translation>
    </message>
    <message>
        <source>Archive thread, or take it out</source>
        <translation>Unterhaltung archivieren oder zurückholen</translation>
    </message>
    <message>
        <source>Move to a project…</source>
        <translation>In ein Projekt verschieben…</translation>
    </message>
    <message>
        <source>Tags of the thread…</source>
        <translation>Schlagwörter der Unterhaltung…</translation>
    </message>
    <message>
        <source>Restore from the trash</source>
        <translation>Aus dem Papierkorb wiederherstellen</translation>
    </message>
    <message>
        <source>Mark all threads of the list</source>
        <translation>Alle Unterhaltungen der Liste markieren</translation>
    </message>
    <message>
        <source>Ctrl+A in the list</source>
        <translation>Strg+A in der Liste</translation>
    </message>
    <message>
        <source>System prompt…</source>
        <translation>Systemprompt…</translation>
    </message>
    <message>
        <source>Choose the model…</source>
        <translation>Modell wählen…</translation>
    </message>
    <message>
        <source>Parameters…</source>
        <translation>Parameter…</translation>
    </message>
    <message>
        <source>Copy thread</source>
        <translation>Unterhaltung kopieren</translation>
    </message>
    <message>
        <source>Copy link to the thread</source>
        <translation>Link zur Unterhaltung kopieren</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>Exportieren…</translation>
    </message>
    <message>
        <source>Export thread as Markdown…</source>
        <translation>Unterhaltung als Markdown exportieren…</translation>
    </message>
    <message>
        <source>Export thread as JSON…</source>
        <translation>Unterhaltung als JSON exportieren…</translation>
    </message>
    <message>
        <source>Delete thread</source>
        <translation>Unterhaltung löschen</translation>
    </message>
    <message>
        <source>Del in the list</source>
        <translation>Entf in der Liste</translation>
    </message>
    <message>
        <source>Erase thread for everyone…</source>
        <translation>Unterhaltung für alle löschen…</translation>
    </message>
    <message>
        <source>Undo the last change</source>
        <translation>Letzte Änderung rückgängig machen</translation>
    </message>
    <message>
        <source>Redo what was undone</source>
        <translation>Rückgängig Gemachtes wiederherstellen</translation>
    </message>
    <message>
        <source>Switch project…</source>
        <translation>Projekt wechseln…</translation>
    </message>
    <message>
        <source>New project…</source>
        <translation>Neues Projekt…</translation>
    </message>
    <message>
        <source>Edit project…</source>
        <translation>Projekt bearbeiten…</translation>
    </message>
    <message>
        <source>Files of the project…</source>
        <translation>Dateien des Projekts…</translation>
    </message>
    <message>
        <source>Memory…</source>
        <translation>Gedächtnis…</translation>
    </message>
    <message>
        <source>System prompt of the project…</source>
        <translation>Systemprompt des Projekts…</translation>
    </message>
    <message>
        <source>Parameters of the project…</source>
        <translation>Parameter des Projekts…</translation>
    </message>
    <message>
        <source>Share project, or change its sharing…</source>
        <translation>Projekt teilen oder Teilen ändern…</translation>
    </message>
    <message>
        <source>Archive project, or take it out</source>
        <translation>Projekt archivieren oder zurückholen</translation>
    </message>
    <message>
        <source>Delete project…</source>
        <translation>Projekt löschen…</translation>
    </message>
    <message>
        <source>All tags…</source>
        <translation>Alle Schlagwörter…</translation>
    </message>
    <message>
        <source>Stop the answer</source>
        <translation>Antwort anhalten</translation>
    </message>
    <message>
        <source>Go to the call that waits for approval</source>
        <translation>Zum Aufruf, der auf Zustimmung wartet</translation>
    </message>
    <message>
        <source>Review proposed changes to files</source>
        <translation>Vorgeschlagene Dateiänderungen prüfen</translation>
    </message>
    <message>
        <source>Add as note</source>
        <translation>Als Notiz hinzufügen</translation>
    </message>
    <message>
        <source>Regenerate the last answer</source>
        <translation>Letzte Antwort neu erzeugen</translation>
    </message>
    <message>
        <source>Regenerate with another model…</source>
        <translation>Mit anderem Modell neu erzeugen…</translation>
    </message>
    <message>
        <source>Compare models…</source>
        <translation>Modelle vergleichen…</translation>
    </message>
    <message>
        <source>Edit my last message</source>
        <translation>Meine letzte Nachricht bearbeiten</translation>
    </message>
    <message>
        <source>Up in an empty composer</source>
        <translation>Pfeil nach oben im leeren Eingabefeld</translation>
    </message>
    <message>
        <source>Edit the answer</source>
        <translation>Antwort bearbeiten</translation>
    </message>
    <message>
        <source>Open the page of an answer in the browser</source>
        <translation>Seite einer Antwort im Browser öffnen</translation>
    </message>
    <message>
        <source>Stop the answer and send the waiting question</source>
        <translation>Antwort anhalten und wartende Frage senden</translation>
    </message>
    <message>
        <source>Edit the last waiting question</source>
        <translation>Letzte wartende Frage bearbeiten</translation>
    </message>
    <message>
        <source>Attach files…</source>
        <translation>Dateien anhängen…</translation>
    </message>
    <message>
        <source>Insert a prompt…</source>
        <translation>Prompt einfügen…</translation>
    </message>
    <message>
        <source>/ in an empty line</source>
        <translation>/ in einer leeren Zeile</translation>
    </message>
    <message>
        <source>Save as prompt…</source>
        <translation>Als Prompt speichern…</translation>
    </message>
    <message>
        <source>Prompts…</source>
        <translation>Prompts…</translation>
    </message>
    <message>
        <source>Choose assistant…</source>
        <translation>Assistent wählen…</translation>
    </message>
    <message>
        <source>@ for one question</source>
        <translation>@ für eine Frage</translation>
    </message>
    <message>
        <source>Copy the last answer</source>
        <translation>Letzte Antwort kopieren</translation>
    </message>
    <message>
        <source>Copy the selection as Markdown</source>
        <translation>Auswahl als Markdown kopieren</translation>
    </message>
    <message>
        <source>Copy the selection as plain text</source>
        <translation>Auswahl als reinen Text kopieren</translation>
    </message>
    <message>
        <source>Copy the selection as rich text</source>
        <translation>Auswahl als formatierten Text kopieren</translation>
    </message>
    <message>
        <source>Copy link to the message</source>
        <translation>Link zur Nachricht kopieren</translation>
    </message>
    <message>
        <source>Quote the selection in the composer</source>
        <translation>Auswahl im Eingabefeld zitieren</translation>
    </message>
    <message>
        <source>Remember the selection…</source>
        <translation>Auswahl merken…</translation>
    </message>
    <message>
        <source>Previous version</source>
        <translation>Vorige Version</translation>
    </message>
    <message>
        <source>Next version</source>
        <translation>Nächste Version</translation>
    </message>
    <message>
        <source>Compare versions</source>
        <translation>Versionen vergleichen</translation>
    </message>
    <message>
        <source>Continue the answer</source>
        <translation>Antwort fortsetzen</translation>
    </message>
    <message>
        <source>Ask for a shorter answer</source>
        <translation>Kürzere Antwort anfordern</translation>
    </message>
    <message>
        <source>Ask for a longer answer</source>
        <translation>Längere Antwort anfordern</translation>
    </message>
    <message>
        <source>Branch into a new thread</source>
        <translation>In eine neue Unterhaltung abzweigen</translation>
    </message>
    <message>
        <source>Open code or a file as artifact</source>
        <translation>Code oder Datei als Artefakt öffnen</translation>
    </message>
    <message>
        <source>Pin into the context, or unpin</source>
        <translation>Im Kontext festhalten oder lösen</translation>
    </message>
    <message>
        <source>Exclude from the context, or include</source>
        <translation>Aus dem Kontext nehmen oder aufnehmen</translation>
    </message>
    <message>
        <source>Start the context here</source>
        <translation>Kontext hier beginnen</translation>
    </message>
    <message>
        <source>Start the context at the beginning</source>
        <translation>Kontext am Anfang beginnen</translation>
    </message>
    <message>
        <source>Delete the message</source>
        <translation>Nachricht löschen</translation>
    </message>
    <message>
        <source>Search everything…</source>
        <translation>Alles durchsuchen…</translation>
    </message>
    <message>
        <source>Filter the list of threads</source>
        <translation>Liste der Unterhaltungen filtern</translation>
    </message>
    <message>
        <source>Find in thread</source>
        <translation>In der Unterhaltung suchen</translation>
    </message>
    <message>
        <source>Next match</source>
        <translation>Nächster Treffer</translation>
    </message>
    <message>
        <source>Previous match</source>
        <translation>Voriger Treffer</translation>
    </message>
    <message>
        <source>Show the questions of this thread</source>
        <translation>Fragen dieser Unterhaltung anzeigen</translation>
    </message>
    <message>
        <source>Jump to a date…</source>
        <translation>Zu einem Datum springen…</translation>
    </message>
    <message>
        <source>Go to the composer</source>
        <translation>Zum Eingabefeld</translation>
    </message>
    <message>
        <source>Previous thread</source>
        <translation>Vorige Unterhaltung</translation>
    </message>
    <message>
        <source>Next thread</source>
        <translation>Nächste Unterhaltung</translation>
    </message>
    <message>
        <source>Next part of the window</source>
        <translation>Nächster Teil des Fensters</translation>
    </message>
    <message>
        <source>Previous part of the window</source>
        <translation>Voriger Teil des Fensters</translation>
    </message>
    <message>
        <source>Show or hide the sidebar</source>
        <translation>Seitenleiste ein- oder ausblenden</translation>
    </message>
    <message>
        <source>Show threads</source>
        <translation>Unterhaltungen anzeigen</translation>
    </message>
    <message>
        <source>Show the archive</source>
        <translation>Archiv anzeigen</translation>
    </message>
    <message>
        <source>Show the trash</source>
        <translation>Papierkorb anzeigen</translation>
    </message>
    <message>
        <source>Deleted messages…</source>
        <translation>Gelöschte Nachrichten…</translation>
    </message>
    <message>
        <source>Empty the trash…</source>
        <translation>Papierkorb leeren…</translation>
    </message>
    <message>
        <source>Sort threads by name or by last activity</source>
        <translation>Unterhaltungen nach Name oder letzter Aktivität ordnen</translation>
    </message>
    <message>
        <source>Group threads by project or by date</source>
        <translation>Unterhaltungen nach Projekt oder Datum gruppieren</translation>
    </message>
    <message>
        <source>Wider sidebar</source>
        <translation>Breitere Seitenleiste</translation>
    </message>
    <message>
        <source>Narrower sidebar</source>
        <translation>Schmalere Seitenleiste</translation>
    </message>
    <message>
        <source>Show or hide the inspector</source>
        <translation>Inspektor ein- oder ausblenden</translation>
    </message>
    <message>
        <source>Show what the model will see</source>
        <translation>Zeigen, was das Modell sehen wird</translation>
    </message>
    <message>
        <source>Show the summary of older messages</source>
        <translation>Zusammenfassung älterer Nachrichten anzeigen</translation>
    </message>
    <message>
        <source>Show what this thread used</source>
        <translation>Verbrauch dieser Unterhaltung anzeigen</translation>
    </message>
    <message>
        <source>Show the tree of versions</source>
        <translation>Baum der Versionen anzeigen</translation>
    </message>
    <message>
        <source>Show the artifacts of this thread</source>
        <translation>Artefakte dieser Unterhaltung anzeigen</translation>
    </message>
    <message>
        <source>Switch theme</source>
        <translation>Design wechseln</translation>
    </message>
    <message>
        <source>Larger text</source>
        <translation>Größerer Text</translation>
    </message>
    <message>
        <source>Smaller text</source>
        <translation>Kleinerer Text</translation>
    </message>
    <message>
        <source>Normal text size</source>
        <translation>Normale Textgröße</translation>
    </message>
    <message>
        <source>Show or hide the menu bar</source>
        <translation>Menüleiste ein- oder ausblenden</translation>
    </message>
    <message>
        <source>Add a provider…</source>
        <translation>Anbieter hinzufügen…</translation>
    </message>
    <message>
        <source>Tools…</source>
        <translation>Werkzeuge…</translation>
    </message>
    <message>
        <source>Manage models…</source>
        <translation>Modelle verwalten…</translation>
    </message>
    <message>
        <source>Import…</source>
        <translation>Importieren…</translation>
    </message>
    <message>
        <source>Back up now</source>
        <translation>Jetzt sichern</translation>
    </message>
    <message>
        <source>Restore a backup…</source>
        <translation>Sicherung wiederherstellen…</translation>
    </message>
    <message>
        <source>Check the database</source>
        <translation>Datenbank prüfen</translation>
    </message>
    <message>
        <source>Repair the database</source>
        <translation>Datenbank reparieren</translation>
    </message>
    <message>
        <source>Quick question</source>
        <translation>Schnelle Frage</translation>
    </message>
    <message>
        <source>All commands…</source>
        <translation>Alle Befehle…</translation>
    </message>
    <message>
        <source>Settings…</source>
        <translation>Einstellungen…</translation>
    </message>
    <message>
        <source>Team sync…</source>
        <translation>Teamabgleich…</translation>
    </message>
    <message>
        <source>Join a workspace…</source>
        <translation>Einem Arbeitsbereich beitreten…</translation>
    </message>
    <message>
        <source>Invite to the workspace…</source>
        <translation>In den Arbeitsbereich einladen…</translation>
    </message>
    <message>
        <source>Sync now</source>
        <translation>Jetzt abgleichen</translation>
    </message>
    <message>
        <source>Details of team sync…</source>
        <translation>Details des Teamabgleichs…</translation>
    </message>
    <message>
        <source>Usage…</source>
        <translation>Nutzung…</translation>
    </message>
    <message>
        <source>Messages that wait to be sent…</source>
        <translation>Wartende Nachrichten…</translation>
    </message>
    <message>
        <source>Limits…</source>
        <translation>Limits…</translation>
    </message>
    <message>
        <source>Report a problem…</source>
        <translation>Problem melden…</translation>
    </message>
    <message>
        <source>Updates…</source>
        <translation>Aktualisierungen…</translation>
    </message>
    <message>
        <source>About ChatDesk</source>
        <translation>Über ChatDesk</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>Beenden</translation>
    </message>
    <message>
        <source>Thread</source>
        <translation>Unterhaltung</translation>
    </message>
    <message>
        <source>Project</source>
        <translation>Projekt</translation>
    </message>
    <message>
        <source>Message</source>
        <translation>Nachricht</translation>
    </message>
    <message>
        <source>Go</source>
        <translation>Gehe zu</translation>
    </message>
    <message>
        <source>View</source>
        <translation>Ansicht</translation>
    </message>
    <message>
        <source>Application</source>
        <translation>Anwendung</translation>
    </message>
    <message>
        <source>These keys cannot be used.</source>
        <translation>Diese Tasten können nicht verwendet werden.</translation>
    </message>
    <message>
        <source>{keys} is needed for writing and moving about. Add Ctrl or Alt.</source>
        <translation>{keys} wird zum Schreiben und Bewegen gebraucht. Nehmen Sie Strg oder Alt dazu.</translation>
    </message>
    <message>
        <source>{keys} is needed in every text field.</source>
        <translation>{keys} wird in jedem Textfeld gebraucht.</translation>
    </message>
    <message>
        <source>{keys} belongs to the system and would not reach ChatDesk.</source>
        <translation>{keys} gehört dem System und käme bei ChatDesk nicht an.</translation>
    </message>
    <message>
        <source>There is no finished message here.</source>
        <translation>Hier ist keine fertige Nachricht.</translation>
    </message>
    <message>
        <source>There is no finished answer here.</source>
        <translation>Hier ist keine fertige Antwort.</translation>
    </message>
    <message>
        <source>Shorter</source>
        <translation>Kürzer</translation>
    </message>
    <message>
        <source>Longer</source>
        <translation>Länger</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>Copy selection</source>
        <translation>Auswahl kopieren</translation>
    </message>
    <message>
        <source>Copy as Markdown</source>
        <translation>Als Markdown kopieren</translation>
    </message>
    <message>
        <source>Copy as plain text</source>
        <translation>Als reinen Text kopieren</translation>
    </message>
    <message>
        <source>Copy as rich text</source>
        <translation>Als formatierten Text kopieren</translation>
    </message>
    <message>
        <source>Copy link</source>
        <translation>Link kopieren</translation>
    </message>
    <message>
        <source>Quote</source>
        <translation>Zitieren</translation>
    </message>
    <message>
        <source>Quote selection</source>
        <translation>Auswahl zitieren</translation>
    </message>
    <message>
        <source>Remember selection…</source>
        <translation>Auswahl merken…</translation>
    </message>
    <message>
        <source>Open as artifact</source>
        <translation>Als Artefakt öffnen</translation>
    </message>
    <message>
        <source>No message in view has a file, or code of 15 lines or more.</source>
        <translation>Keine sichtbare Nachricht hat eine Datei oder Code mit 15 Zeilen oder mehr.</translation>
    </message>
    <message>
        <source>Open page in browser</source>
        <translation>Seite im Browser öffnen</translation>
    </message>
    <message>
        <source>No message in view has a block of HTML.</source>
        <translation>Keine sichtbare Nachricht hat einen HTML-Block.</translation>
    </message>
    <message>
        <source>Answer</source>
        <translation>Antwort</translation>
    </message>
    <message>
        <source>Note</source>
        <translation>Notiz</translation>
    </message>
    <message>
        <source>Reasoning</source>
        <translation>Überlegung</translation>
    </message>
    <message>
        <source>Tool call</source>
        <translation>Werkzeugaufruf</translation>
    </message>
    <message>
        <source>Image: {name}</source>
        <translation>Bild: {name}</translation>
    </message>
    <message>
        <source>File: {name}</source>
        <translation>Datei: {name}</translation>
    </message>
    <message>
        <source>Image: {name} ({problem})</source>
        <translation>Bild: {name} ({problem})</translation>
    </message>
    <message>
        <source>File: {name} ({problem})</source>
        <translation>Datei: {name} ({problem})</translation>
    </message>
    <message>
        <source>attachment</source>
        <translation>Anhang</translation>
    </message>
    <message>
        <source>its bytes are missing or damaged</source>
        <translation>der Inhalt fehlt oder ist beschädigt</translation>
    </message>
    <message>
        <source>at an unknown time</source>
        <translation>zu unbekannter Zeit</translation>
    </message>
    <message>
        <source>{year}-{month}-{day} {hour}:{minute} UTC</source>
        <translation>{day}.{month}.{year} {hour}:{minute} UTC</translation>
    </message>
    <message>
        <source>The link “{words}” leads to {place}.</source>
        <translation>Der Link „{words}“ führt zu {place}.</translation>
    </message>
    <message>
        <source>More links of this message lead elsewhere than their words say.</source>
        <translation>Weitere Links dieser Nachricht führen woandershin, als ihr Text angibt.</translation>
    </message>
    <message>
        <source>Answer</source>
        <comment>verb</comment>
        <translation>Antworten</translation>
    </message>
    <message>
        <source>Regenerate</source>
        <translation>Neu erzeugen</translation>
    </message>
    <message>
        <source>Answer with another model…</source>
        <translation>Mit anderem Modell antworten…</translation>
    </message>
    <message>
        <source>Edit</source>
        <translation>Bearbeiten</translation>
    </message>
    <message>
        <source>Continue</source>
        <translation>Fortsetzen</translation>
    </message>
    <message>
        <source>There is no answer here that could be continued.</source>
        <translation>Hier ist keine Antwort, die fortgesetzt werden könnte.</translation>
    </message>
    <message>
        <source>Decide about open calls…</source>
        <translation>Über offene Aufrufe entscheiden…</translation>
    </message>
    <message>
        <source>Review proposed changes…</source>
        <translation>Vorgeschlagene Änderungen prüfen…</translation>
    </message>
    <message>
        <source>No answer here proposes changes to files.</source>
        <translation>Keine Antwort hier schlägt Dateiänderungen vor.</translation>
    </message>
    <message>
        <source>Edit answer</source>
        <translation>Antwort bearbeiten</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Erneut versuchen</translation>
    </message>
    <message>
        <source>There is no earlier version of this message.</source>
        <translation>Es gibt keine frühere Version dieser Nachricht.</translation>
    </message>
    <message>
        <source>There is no later version of this message.</source>
        <translation>Es gibt keine spätere Version dieser Nachricht.</translation>
    </message>
    <message>
        <source>This answer has one version only.</source>
        <translation>Diese Antwort hat nur eine Version.</translation>
    </message>
    <message>
        <source>Pin into the context</source>
        <translation>Im Kontext festhalten</translation>
    </message>
    <message>
        <source>Unpin from the context</source>
        <translation>Im Kontext nicht mehr festhalten</translation>
    </message>
    <message>
        <source>Exclude from the context</source>
        <translation>Aus dem Kontext nehmen</translation>
    </message>
    <message>
        <source>Include in the context</source>
        <translation>In den Kontext aufnehmen</translation>
    </message>
    <message>
        <source>Let the model see it</source>
        <translation>Dem Modell zeigen</translation>
    </message>
    <message>
        <source>Include in the context again</source>
        <translation>Wieder in den Kontext aufnehmen</translation>
    </message>
    <message>
        <source>The context starts here already.</source>
        <translation>Der Kontext beginnt schon hier.</translation>
    </message>
    <message>
        <source>The context starts at the beginning already.</source>
        <translation>Der Kontext beginnt schon am Anfang.</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Löschen</translation>
    </message>
    <message>
        <source>Erase for everyone…</source>
        <translation>Für alle löschen…</translation>
    </message>
    <message>
        <source>Open in a new window</source>
        <translation>In neuem Fenster öffnen</translation>
    </message>
    <message>
        <source>Open beside</source>
        <translation>Daneben öffnen</translation>
    </message>
    <message>
        <source>Close this chat or window</source>
        <translation>Diesen Chat oder dieses Fenster schließen</translation>
    </message>
    <message>
        <source>Go to the chat at the left</source>
        <translation>Zum Chat links</translation>
    </message>
    <message>
        <source>Go to the chat at the right</source>
        <translation>Zum Chat rechts</translation>
    </message>
    <message>
        <source>Keep this one</source>
        <translation>Diese behalten</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Anhalten</translation>
    </message>
    <message>
        <source>Edited answer</source>
        <translation>Bearbeitete Antwort</translation>
    </message>
    <message>
        <source>Stop the edited answer</source>
        <translation>Bearbeitete Antwort anhalten</translation>
    </message>
    <message>
        <source>Keep the edited answer</source>
        <translation>Bearbeitete Antwort behalten</translation>
    </message>
    <message>
        <source>Keep the answer</source>
        <translation>Antwort behalten</translation>
    </message>
    <message>
        <source>Answer of {model}</source>
        <translation>Antwort von {model}</translation>
    </message>
    <message>
        <source>Stop the answer of {model}</source>
        <translation>Antwort von {model} anhalten</translation>
    </message>
    <message>
        <source>Keep the answer of {model}</source>
        <translation>Antwort von {model} behalten</translation>
    </message>
    <message>
        <source>Compared answers</source>
        <translation>Verglichene Antworten</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>Zurück</translation>
    </message>
    <message>
        <source>Back to the thread; all answers stay as versions</source>
        <translation>Zurück zur Unterhaltung; alle Antworten bleiben als Versionen</translation>
    </message>
    <message>
        <source>Your question: {question}</source>
        <translation>Ihre Frage: {question}</translation>
    </message>
    <message>
        <source>{name}, being copied</source>
        <translation>{name}, wird kopiert</translation>
    </message>
    <message>
        <source>Remove {file}</source>
        <translation>{file} entfernen</translation>
    </message>
    <message>
        <source>Remove (Delete)</source>
        <translation>Entfernen (Entf)</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <source>{name} is attached</source>
        <translation>{name} ist angehängt</translation>
    </message>
    <message>
        <source>{name} is removed</source>
        <translation>{name} ist entfernt</translation>
    </message>
    <message>
        <source>Send</source>
        <translation>Senden</translation>
    </message>
    <message>
        <source>Stop the answer (Esc)</source>
        <translation>Antwort anhalten (Esc)</translation>
    </message>
    <message>
        <source>Attach files</source>
        <translation>Dateien anhängen</translation>
    </message>
    <message>
        <source>Files, prompts, parameters and tools</source>
        <translation>Dateien, Prompts, Parameter und Werkzeuge</translation>
    </message>
    <message>
        <source>Wait for the answer, or press Esc to stop it. Your text is kept.</source>
        <translation>Warten Sie auf die Antwort, oder halten Sie sie mit Esc an. Ihr Text bleibt erhalten.</translation>
    </message>
    <message>
        <source>{size} is more than one message can hold ({limit}). Split the text.</source>
        <translation>{size} ist mehr, als eine Nachricht fassen kann ({limit}). Teilen Sie den Text.</translation>
    </message>
    <message>
        <source>Send after the answer</source>
        <translation>Nach der Antwort senden</translation>
    </message>
    <message>
        <source>The files are still being copied. The message is sent when they are there.</source>
        <translation>Die Dateien werden noch kopiert. Die Nachricht wird gesendet, wenn sie da sind.</translation>
    </message>
    <message>
        <source>Not sent yet: see the note above your text, then send again.</source>
        <translation>Noch nicht gesendet: Siehe den Hinweis über Ihrem Text, dann senden Sie erneut.</translation>
    </message>
    <message>
        <source>Prompts</source>
        <translation>Prompts</translation>
    </message>
    <message numerus="yes">
        <source>{count} prompts, arrows choose, Enter inserts, Esc closes.</source>
        <comment>{count} prompt, arrows choose, Enter inserts, Esc closes.</comment>
        <translation>
            <numerusform>{count} Prompt, Pfeile wählen, Enter fügt ein, Esc schließt.</numerusform>
            <numerusform>{count} Prompts, Pfeile wählen, Enter fügt ein, Esc schließt.</numerusform>
        </translation>
    </message>
    <message>
        <source>Edit prompts…</source>
        <translation>Prompts bearbeiten…</translation>
    </message>
    <message>
        <source>All templates and system prompts</source>
        <translation>Alle Vorlagen und Systemprompts</translation>
    </message>
    <message>
        <source>Find a prompt</source>
        <translation>Prompt suchen</translation>
    </message>
    <message>
        <source>No prompt matches.</source>
        <translation>Kein Prompt passt.</translation>
    </message>
    <message>
        <source>{item}, {row} of {count}</source>
        <translation>{item}, {row} von {count}</translation>
    </message>
    <message>
        <source>{leave}: {state}</source>
        <translation>{leave}: {state}</translation>
    </message>
    <message>
        <source>Move up: {text}</source>
        <translation>Nach oben: {text}</translation>
    </message>
    <message>
        <source>Send it before the one above</source>
        <translation>Vor der darüber senden</translation>
    </message>
    <message>
        <source>Take it back into the text below</source>
        <translation>Zurück in den Text darunter nehmen</translation>
    </message>
    <message>
        <source>Send now</source>
        <translation>Jetzt senden</translation>
    </message>
    <message>
        <source>Stop the answer, keep what came, and ask this</source>
        <translation>Antwort anhalten, das Angekommene behalten und dies fragen</translation>
    </message>
    <message numerus="yes">
        <source>{count} more wait…</source>
        <comment>{count} more waits…</comment>
        <translation>
            <numerusform>{count} weitere wartet…</numerusform>
            <numerusform>{count} weitere warten…</numerusform>
        </translation>
    </message>
    <message>
        <source>Save these files as a zip and send it with a description of what went wrong. They contain no messages, titles, file names or keys. Look through them first; nothing is sent automatically.</source>
        <translation>Speichern Sie diese Dateien als ZIP und senden Sie sie mit einer Beschreibung dessen, was schiefging. Sie enthalten keine Nachrichten, Titel, Dateinamen oder Schlüssel. Sehen Sie sie vorher durch; nichts wird automatisch gesendet.</translation>
    </message>
    <message>
        <source>Report a problem</source>
        <translation>Problem melden</translation>
    </message>
    <message>
        <source>Files of the report</source>
        <translation>Dateien des Berichts</translation>
    </message>
    <message>
        <source>Text of the file</source>
        <translation>Text der Datei</translation>
    </message>
    <message>
        <source>Collecting…</source>
        <translation>Wird gesammelt…</translation>
    </message>
    <message>
        <source>Save as a zip…</source>
        <translation>Als ZIP speichern…</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message numerus="yes">
        <source>{count} files, {size} before packing</source>
        <comment>{count} file, {size} before packing</comment>
        <translation>
            <numerusform>{count} Datei, {size} vor dem Packen</numerusform>
            <numerusform>{count} Dateien, {size} vor dem Packen</numerusform>
        </translation>
    </message>
    <message>
        <source>(The end of it; the zip has all {count} characters.)
…{end}</source>
        <translation>(Das Ende davon; das ZIP hat alle {count} Zeichen.)
…{end}</translation>
    </message>
    <message>
        <source>What you typed is not saved. Press Esc again to leave without it.</source>
        <translation>Das Eingegebene ist nicht gespeichert. Drücken Sie noch einmal Esc, um ohne Speichern zu schließen.</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>Wählen…</translation>
    </message>
    <message>
        <source>Choose: {name}</source>
        <translation>Wählen: {name}</translation>
    </message>
    <message>
        <source>Remove: {name}</source>
        <translation>Entfernen: {name}</translation>
    </message>
    <message>
        <source>Press the keys…</source>
        <translation>Drücken Sie die Tasten…</translation>
    </message>
    <message>
        <source>{keys}. Press Enter to choose others, Delete to remove them, Esc to keep them.</source>
        <translation>{keys}. Enter wählt andere, Entf entfernt sie, Esc behält sie.</translation>
    </message>
    <message>
        <source>Copy report</source>
        <translation>Bericht kopieren</translation>
    </message>
    <message>
        <source>Show file</source>
        <translation>Datei zeigen</translation>
    </message>
    <message>
        <source>The report could not be read: {reason}.</source>
        <translation>Der Bericht konnte nicht gelesen werden: {reason}.</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>Kopiert</translation>
    </message>
    <message>
        <source>Version {version}, with Python {python} and Qt {qt_version}.

Inter and JetBrains Mono are used under the SIL Open Font License, the Lucide icons under the ISC licence.</source>
        <translation>Version {version}, mit Python {python} und Qt {qt_version}.

Inter und JetBrains Mono werden unter der SIL Open Font License verwendet, die Lucide-Symbole unter der ISC-Lizenz.</translation>
    </message>
    <message>
        <source>Send the message</source>
        <translation>Nachricht senden</translation>
    </message>
    <message>
        <source>Enter</source>
        <translation>Enter</translation>
    </message>
    <message>
        <source>New line in the composer</source>
        <translation>Neue Zeile im Eingabefeld</translation>
    </message>
    <message>
        <source>Shift+Enter</source>
        <translation>Umschalt+Enter</translation>
    </message>
    <message>
        <source>Walk through threads</source>
        <translation>Durch die Unterhaltungen gehen</translation>
    </message>
    <message>
        <source>Up or Down in the list</source>
        <translation>Pfeil nach oben oder unten in der Liste</translation>
    </message>
    <message>
        <source>Open the thread</source>
        <translation>Unterhaltung öffnen</translation>
    </message>
    <message>
        <source>Enter in the list</source>
        <translation>Enter in der Liste</translation>
    </message>
    <message>
        <source>Mark threads</source>
        <translation>Unterhaltungen markieren</translation>
    </message>
    <message>
        <source>Shift+Down or Ctrl+Space in the list</source>
        <translation>Umschalt+Unten oder Strg+Leertaste in der Liste</translation>
    </message>
    <message>
        <source>Menu of a thread</source>
        <translation>Menü einer Unterhaltung</translation>
    </message>
    <message>
        <source>Menu in the list</source>
        <translation>Menütaste in der Liste</translation>
    </message>
    <message>
        <source>Between messages</source>
        <translation>Zwischen Nachrichten</translation>
    </message>
    <message>
        <source>Ctrl+Down or Ctrl+Up in the thread</source>
        <translation>Strg+Unten oder Strg+Oben in der Unterhaltung</translation>
    </message>
    <message>
        <source>Links and buttons</source>
        <translation>Links und Schaltflächen</translation>
    </message>
    <message>
        <source>Tab in the thread</source>
        <translation>Tab in der Unterhaltung</translation>
    </message>
    <message>
        <source>Menu of the message</source>
        <translation>Menü der Nachricht</translation>
    </message>
    <message>
        <source>Enter or Menu in the thread</source>
        <translation>Enter oder Menütaste in der Unterhaltung</translation>
    </message>
    <message>
        <source>Walk through the text</source>
        <translation>Durch den Text gehen</translation>
    </message>
    <message>
        <source>F7 in the thread</source>
        <translation>F7 in der Unterhaltung</translation>
    </message>
    <message>
        <source>Next group of results</source>
        <translation>Nächste Gruppe von Ergebnissen</translation>
    </message>
    <message>
        <source>Tab in the search</source>
        <translation>Tab in der Suche</translation>
    </message>
    <message>
        <source>Press the new keys for “{name}”.</source>
        <translation>Drücken Sie die neuen Tasten für „{name}“.</translation>
    </message>
    <message>
        <source>Use these</source>
        <translation>Diese verwenden</translation>
    </message>
    <message>
        <source>{keys} belongs to “{name}”, which would lose it.</source>
        <translation>{keys} gehört zu „{name}“ und ginge dort verloren.</translation>
    </message>
    <message>
        <source>Take over</source>
        <translation>Übernehmen</translation>
    </message>
    <message>
        <source>{keys} is free.</source>
        <translation>{keys} ist frei.</translation>
    </message>
    <message>
        <source>In place</source>
        <translation>Je nach Stelle</translation>
    </message>
    <message>
        <source>changed</source>
        <translation>geändert</translation>
    </message>
    <message>
        <source>changed keys</source>
        <translation>geänderte Tasten</translation>
    </message>
    <message>
        <source>no keys</source>
        <translation>keine Tasten</translation>
    </message>
    <message>
        <source>usual keys</source>
        <translation>übliche Tasten</translation>
    </message>
    <message>
        <source>Find a command or keys</source>
        <translation>Befehl oder Tasten suchen</translation>
    </message>
    <message>
        <source>Commands and their keys</source>
        <translation>Befehle und ihre Tasten</translation>
    </message>
    <message>
        <source>Enter changes the keys, Delete takes them away</source>
        <translation>Enter ändert die Tasten, Entf nimmt sie weg</translation>
    </message>
    <message>
        <source>a very long answer (some 6,000 words)</source>
        <translation>eine sehr lange Antwort (etwa 6.000 Wörter)</translation>
    </message>
    <message>
        <source>code in several languages</source>
        <translation>Code in mehreren Sprachen</translation>
    </message>
    <message>
        <source>tables, narrow and wide</source>
        <translation>Tabellen, schmal und breit</translation>
    </message>
    <message>
        <source>formulas</source>
        <translation>Formeln</translation>
    </message>
    <message>
        <source>a picture, which is kept as a file of the answer</source>
        <translation>ein Bild, das als Datei der Antwort bleibt</translation>
    </message>
    <message>
        <source>every kind of Markdown</source>
        <translation>alle Arten von Markdown</translation>
    </message>
    <message>
        <source>eight pieces a second: time to press Stop</source>
        <translation>acht Stücke in der Sekunde: Zeit, um Anhalten zu drücken</translation>
    </message>
    <message>
        <source>too many requests: a wait that is announced, then an error</source>
        <translation>zu viele Anfragen: eine angekündigte Wartezeit, dann ein Fehler</translation>
    </message>
    <message>
        <source>the same wait, then an answer</source>
        <translation>dieselbe Wartezeit, dann eine Antwort</translation>
    </message>
    <message>
        <source>the connection breaks in the middle; Continue finishes</source>
        <translation>die Verbindung bricht mittendrin ab; Fortsetzen bringt den Rest</translation>
    </message>
    <message>
        <source>thoughts before the answer</source>
        <translation>Gedanken vor der Antwort</translation>
    </message>
    <message>
        <source>a tool call</source>
        <translation>ein Werkzeugaufruf</translation>
    </message>
    <message>
        <source>There is no demo called {name}. These exist:</source>
        <translation>Es gibt keine Demo namens {name}. Es gibt diese:</translation>
    </message>
    <message>
        <source>Try one of these:</source>
        <translation>Versuchen Sie eines davon:</translation>
    </message>
    <message>
        <source>Command</source>
        <translation>Befehl</translation>
    </message>
    <message>
        <source>What it shows</source>
        <translation>Was es zeigt</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>Tasten</translation>
    </message>
    <message>
        <source>State</source>
        <translation>Zustand</translation>
    </message>
    <message>
        <source>Change keys…</source>
        <translation>Tasten ändern…</translation>
    </message>
    <message>
        <source>Take away</source>
        <translation>Wegnehmen</translation>
    </message>
    <message>
        <source>Reset</source>
        <translation>Zurücksetzen</translation>
    </message>
    <message>
        <source>Reset all</source>
        <translation>Alle zurücksetzen</translation>
    </message>
    <message>
        <source>New keys</source>
        <translation>Neue Tasten</translation>
    </message>
    <message>
        <source>An unexpected failure</source>
        <translation>Ein unerwarteter Fehler</translation>
    </message>
    <message>
        <source>Something went wrong in ChatDesk. Your messages are kept.</source>
        <translation>In ChatDesk ist etwas schiefgegangen. Ihre Nachrichten bleiben erhalten.</translation>
    </message>
    <message>
        <source>Something went wrong in ChatDesk. Your messages are kept, and you can go on. A report was written, without your messages. To send it to the developers, choose “Report a problem…” in the menu: you see everything first.</source>
        <translation>In ChatDesk ist etwas schiefgegangen. Ihre Nachrichten bleiben erhalten, und Sie können weitermachen. Ein Bericht wurde geschrieben, ohne Ihre Nachrichten. Um ihn den Entwicklern zu senden, wählen Sie „Problem melden…“ im Menü: Sie sehen vorher alles.</translation>
    </message>
    <message>
        <source>Details…</source>
        <translation>Details…</translation>
    </message>
    <message>
        <source>This text is too long to be drawn. Its source is shown.</source>
        <translation>Dieser Text ist zu lang für die formatierte Anzeige. Gezeigt wird sein Quelltext.</translation>
    </message>
    <message>
        <source>They differ too much to be compared line by line; what differs is shown as replaced.</source>
        <translation>Sie unterscheiden sich zu sehr, um Zeile für Zeile verglichen zu werden; Abweichendes erscheint als ersetzt.</translation>
    </message>
    <message numerus="yes">
        <source>The first {count} rows are shown.</source>
        <comment>The first {count} row is shown.</comment>
        <translation>
            <numerusform>Die erste Zeile wird gezeigt.</numerusform>
            <numerusform>Die ersten {count} Zeilen werden gezeigt.</numerusform>
        </translation>
    </message>
    <message>
        <source>{added}, {removed}.</source>
        <translation>{added}, {removed}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} lines added</source>
        <comment>{count} line added</comment>
        <translation>
            <numerusform>{count} Zeile hinzugefügt</numerusform>
            <numerusform>{count} Zeilen hinzugefügt</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} lines removed</source>
        <comment>{count} line removed</comment>
        <translation>
            <numerusform>{count} Zeile entfernt</numerusform>
            <numerusform>{count} Zeilen entfernt</numerusform>
        </translation>
    </message>
    <message>
        <source>No line differs.</source>
        <translation>Keine Zeile weicht ab.</translation>
    </message>
    <message>
        <source>in a version of the thread that is not shown</source>
        <translation>in einer Version der Unterhaltung, die nicht gezeigt wird</translation>
    </message>
    <message>
        <source>This text is too large to be edited here. Save it, edit it elsewhere, and attach the result.</source>
        <translation>Dieser Text ist zu groß, um hier bearbeitet zu werden. Speichern Sie ihn, bearbeiten Sie ihn anderswo und hängen Sie das Ergebnis an.</translation>
    </message>
    <message>
        <source>Your unfinished edit is back</source>
        <translation>Ihre unfertige Bearbeitung ist wieder da</translation>
    </message>
    <message>
        <source>Your changes were left out</source>
        <translation>Ihre Änderungen wurden weggelassen</translation>
    </message>
    <message>
        <source>Edit again</source>
        <translation>Weiter bearbeiten</translation>
    </message>
    <message>
        <source>Your edit of {name} is a version of it</source>
        <translation>Ihre Bearbeitung von {name} ist eine Version davon</translation>
    </message>
    <message>
        <source>Artifacts are stored on disk; a temporary chat is not.</source>
        <translation>Artefakte werden auf dem Datenträger gespeichert; ein temporärer Chat nicht.</translation>
    </message>
    <message>
        <source>Change the attached file {name} and answer with all of it in one code block.</source>
        <translation>Ändere die angehängte Datei {name} und antworte mit der ganzen Datei in einem Codeblock.</translation>
    </message>
    <message>
        <source>Removed from the list</source>
        <translation>Aus der Liste entfernt</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
    <message>
        <source>Answer with another model</source>
        <translation>Mit anderem Modell antworten</translation>
    </message>
    <message>
        <source>Pasted image.png</source>
        <translation>Eingefügtes Bild.png</translation>
    </message>
    <message>
        <source>Files are stored on disk; a temporary chat is not.</source>
        <translation>Dateien werden auf dem Datenträger gespeichert; ein temporärer Chat nicht.</translation>
    </message>
    <message>
        <source>It is right</source>
        <translation>Das stimmt so</translation>
    </message>
    <message>
        <source>Is “{sample}” in “{name}” read right?</source>
        <translation>Ist „{sample}“ in „{name}“ richtig gelesen?</translation>
    </message>
    <message>
        <source>“{name}” is read as {encoding}: “{sample}”.</source>
        <translation>„{name}“ wird als {encoding} gelesen: „{sample}“.</translation>
    </message>
    <message>
        <source>Of “{name}” only the name is sent.</source>
        <translation>Von „{name}“ wird nur der Name gesendet.</translation>
    </message>
    <message>
        <source>“{name}”: {problem}</source>
        <translation>„{name}“: {problem}</translation>
    </message>
    <message>
        <source>Read otherwise…</source>
        <translation>Anders lesen…</translation>
    </message>
    <message>
        <source>Not sent yet: say above your text whether “{name}” is read right.</source>
        <translation>Noch nicht gesendet: Geben Sie über Ihrem Text an, ob „{name}“ richtig gelesen ist.</translation>
    </message>
    <message>
        <source>The picture in the clipboard cannot be read.</source>
        <translation>Das Bild in der Zwischenablage kann nicht gelesen werden.</translation>
    </message>
    <message>
        <source>This thread has no message yet.</source>
        <translation>Diese Unterhaltung hat noch keine Nachricht.</translation>
    </message>
    <message>
        <source>Nothing was written on that day or later.</source>
        <translation>An diesem Tag oder später wurde nichts geschrieben.</translation>
    </message>
    <message>
        <source>What goes to the trash can be brought back, at once with Ctrl+Z and later from the inspector&apos;s tree.</source>
        <translation>Was in den Papierkorb geht, kann zurückgeholt werden: sofort mit Strg+Z und später aus dem Baum des Inspektors.</translation>
    </message>
    <message>
        <source>Delete this message only, or also those after it?</source>
        <translation>Nur diese Nachricht löschen oder auch die danach?</translation>
    </message>
    <message>
        <source>Do not ask again</source>
        <translation>Nicht mehr fragen</translation>
    </message>
    <message>
        <source>Settings can make ChatDesk ask again.</source>
        <translation>In den Einstellungen kann ChatDesk wieder fragen.</translation>
    </message>
    <message>
        <source>With later messages</source>
        <translation>Auch spätere</translation>
    </message>
    <message>
        <source>This message only</source>
        <translation>Nur diese Nachricht</translation>
    </message>
    <message>
        <source>Deleted messages</source>
        <translation>Gelöschte Nachrichten</translation>
    </message>
    <message>
        <source>Restored messages go back to their place.</source>
        <translation>Wiederhergestellte Nachrichten kehren an ihre Stelle zurück.</translation>
    </message>
    <message>
        <source>No message is in the trash.</source>
        <translation>Keine Nachricht liegt im Papierkorb.</translation>
    </message>
    <message>
        <source>Restore</source>
        <translation>Wiederherstellen</translation>
    </message>
    <message>
        <source>Show the thread</source>
        <translation>Unterhaltung zeigen</translation>
    </message>
    <message>
        <source>{day} {time}</source>
        <translation>{day} {time}</translation>
    </message>
    <message>
        <source>Without text</source>
        <translation>Ohne Text</translation>
    </message>
    <message>
        <source>Question in “{title}”, deleted {when}</source>
        <translation>Frage in „{title}“, gelöscht {when}</translation>
    </message>
    <message>
        <source>Answer in “{title}”, deleted {when}</source>
        <translation>Antwort in „{title}“, gelöscht {when}</translation>
    </message>
    <message>
        <source>Question and {more} more in “{title}”, deleted {when}</source>
        <translation>Frage und {more} weitere in „{title}“, gelöscht {when}</translation>
    </message>
    <message>
        <source>Answer and {more} more in “{title}”, deleted {when}</source>
        <translation>Antwort und {more} weitere in „{title}“, gelöscht {when}</translation>
    </message>
    <message>
        <source>Message restored</source>
        <translation>Nachricht wiederhergestellt</translation>
    </message>
    <message>
        <source>It leaves the server, and every computer when it syncs next. This cannot be undone. What stays: backups of the server and of computers until they are replaced, private copies of members who left, and what somebody copied or exported.</source>
        <translation>Es verlässt den Server und jeden Computer beim nächsten Abgleich. Das lässt sich nicht rückgängig machen. Was bleibt: Sicherungen des Servers und von Computern, bis sie ersetzt werden, private Kopien von Mitgliedern, die gegangen sind, und was jemand kopiert oder exportiert hat.</translation>
    </message>
    <message>
        <source>Erase this thread for everyone?</source>
        <translation>Diese Unterhaltung für alle löschen?</translation>
    </message>
    <message>
        <source>Erase this message for everyone?</source>
        <translation>Diese Nachricht für alle löschen?</translation>
    </message>
    <message>
        <source>Erase for everyone</source>
        <translation>Für alle löschen</translation>
    </message>
    <message>
        <source>It is in the trash, and is erased as soon as the server has taken it.</source>
        <translation>Sie liegt im Papierkorb und wird gelöscht, sobald der Server es angenommen hat.</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages go, with attached files and the summaries that mention them.</source>
        <comment>{count} message goes, with attached files and the summaries that mention them.</comment>
        <translation>
            <numerusform>{count} Nachricht wird gelöscht, samt angehängten Dateien und den Zusammenfassungen, die sie erwähnen.</numerusform>
            <numerusform>{count} Nachrichten werden gelöscht, samt angehängten Dateien und den Zusammenfassungen, die sie erwähnen.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages of others stay in the trash: only owners and admins of the project erase what others wrote.</source>
        <comment>{count} message of others stays in the trash: only owners and admins of the project erase what others wrote.</comment>
        <translation>
            <numerusform>{count} Nachricht anderer bleibt im Papierkorb: Nur Eigentümer und Verwalter des Projekts löschen für alle, was andere geschrieben haben.</numerusform>
            <numerusform>{count} Nachrichten anderer bleiben im Papierkorb: Nur Eigentümer und Verwalter des Projekts löschen für alle, was andere geschrieben haben.</numerusform>
        </translation>
    </message>
    <message>
        <source>It is not sent, because this model cannot see images.</source>
        <translation>Es wird nicht gesendet, weil dieses Modell keine Bilder sieht.</translation>
    </message>
    <message>
        <source>It is empty.</source>
        <translation>Es ist leer.</translation>
    </message>
    <message>
        <source>Its middle is left out, because it does not fit.</source>
        <translation>Der mittlere Teil wird weggelassen, weil der Platz nicht reicht.</translation>
    </message>
    <message>
        <source>this model</source>
        <translation>dieses Modell</translation>
    </message>
    <message numerus="yes">
        <source>{count} images are not sent, because {model} cannot see images: only their names are.</source>
        <comment>The image is not sent, because {model} cannot see images: only its name is.</comment>
        <translation>
            <numerusform>Vom Bild wird nur der Name gesendet, weil {model} keine Bilder sieht.</numerusform>
            <numerusform>Von {count} Bildern werden nur die Namen gesendet, weil {model} keine Bilder sieht.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>It is not known whether {model} sees images. {count} are sent.</source>
        <comment>It is not known whether {model} sees images. The image is sent.</comment>
        <translation>
            <numerusform>Es ist nicht bekannt, ob {model} Bilder sieht. Das Bild wird gesendet.</numerusform>
            <numerusform>Es ist nicht bekannt, ob {model} Bilder sieht. {count} werden gesendet.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The middle of {count} files is left out, because they do not fit.</source>
        <comment>The middle of “{name}” is left out, because it does not fit.</comment>
        <translation>
            <numerusform>Der mittlere Teil von „{name}“ wird weggelassen, weil der Platz nicht reicht.</numerusform>
            <numerusform>Der mittlere Teil von {count} Dateien wird weggelassen, weil der Platz nicht reicht.</numerusform>
        </translation>
    </message>
    <message>
        <source>The size of the context of {model} is not known: {count} tokens are assumed.</source>
        <translation>Die Größe des Kontexts von {model} ist nicht bekannt: {count} Token werden angenommen.</translation>
    </message>
    <message numerus="yes">
        <source>It is not known whether {models} see images; they are sent.</source>
        <comment>It is not known whether {models} sees images; they are sent.</comment>
        <translation>
            <numerusform>Es ist nicht bekannt, ob {models} Bilder sieht; sie werden gesendet.</numerusform>
            <numerusform>Es ist nicht bekannt, ob {models} Bilder sehen; sie werden gesendet.</numerusform>
        </translation>
    </message>
    <message>
        <source>Do not send images</source>
        <translation>Keine Bilder senden</translation>
    </message>
    <message>
        <source>Ask {model} instead</source>
        <translation>Stattdessen {model} fragen</translation>
    </message>
    <message numerus="yes">
        <source>They can</source>
        <comment>It can</comment>
        <translation>
            <numerusform>Ja, es sieht sie</numerusform>
            <numerusform>Ja, sie sehen sie</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{models} cannot see images: only their names are sent.</source>
        <comment>{models} cannot see images: only their names are sent.</comment>
        <translation>
            <numerusform>{models} kann keine Bilder sehen: Nur ihre Namen werden gesendet.</numerusform>
            <numerusform>{models} können keine Bilder sehen: Nur ihre Namen werden gesendet.</numerusform>
        </translation>
    </message>
    <message>
        <source>Jump to a date</source>
        <translation>Zu einem Datum springen</translation>
    </message>
    <message>
        <source>From {first} to {last}</source>
        <translation>Von {first} bis {last}</translation>
    </message>
    <message>
        <source>Date</source>
        <translation>Datum</translation>
    </message>
    <message>
        <source>Calendar</source>
        <translation>Kalender</translation>
    </message>
    <message>
        <source>Days</source>
        <translation>Tage</translation>
    </message>
    <message>
        <source>Previous month</source>
        <translation>Voriger Monat</translation>
    </message>
    <message>
        <source>Next month</source>
        <translation>Nächster Monat</translation>
    </message>
    <message>
        <source>Send or cancel what you are editing first.</source>
        <translation>Senden oder verwerfen Sie zuerst, was Sie bearbeiten.</translation>
    </message>
    <message>
        <source>Added as a note</source>
        <translation>Als Notiz hinzugefügt</translation>
    </message>
    <message>
        <source>Nothing was changed, so the answer stays as it is.</source>
        <translation>Es wurde nichts geändert, deshalb bleibt die Antwort, wie sie ist.</translation>
    </message>
    <message>
        <source>Stop comparing</source>
        <translation>Vergleich beenden</translation>
    </message>
    <message>
        <source>A temporary chat cannot have branches.</source>
        <translation>Ein temporärer Chat kann keine Zweige haben.</translation>
    </message>
    <message>
        <source>branch</source>
        <translation>verzweigen</translation>
    </message>
    <message>
        <source>This is a branch. The thread it came from stays as it is.</source>
        <translation>Das ist ein Zweig. Die Unterhaltung, aus der er kommt, bleibt, wie sie ist.</translation>
    </message>
    <message>
        <source>Sending makes a version that is marked as yours.</source>
        <translation>Beim Senden entsteht eine Version, die als Ihre gekennzeichnet ist.</translation>
    </message>
    <message>
        <source>Editing an answer.</source>
        <translation>Eine Antwort wird bearbeitet.</translation>
    </message>
    <message>
        <source>Editing a question.</source>
        <translation>Eine Frage wird bearbeitet.</translation>
    </message>
    <message>
        <source>Editing your last question. Sending makes a new version.</source>
        <translation>Ihre letzte Frage wird bearbeitet. Beim Senden entsteht eine neue Version.</translation>
    </message>
    <message>
        <source>leave the edit</source>
        <translation>Bearbeitung verlassen</translation>
    </message>
    <message>
        <source>Wait for the answer, or press Esc to stop it. Then it can be edited.</source>
        <translation>Warten Sie auf die Antwort, oder halten Sie sie mit Esc an. Dann kann sie bearbeitet werden.</translation>
    </message>
    <message numerus="yes">
        <source>{count} later messages stay in version {version}.</source>
        <comment>{count} later message stays in version {version}.</comment>
        <translation>
            <numerusform>{count} spätere Nachricht bleibt in Version {version}.</numerusform>
            <numerusform>{count} spätere Nachrichten bleiben in Version {version}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Comparing {count} models</source>
        <comment>Comparing {count} model</comment>
        <translation>
            <numerusform>{count} Modell wird verglichen</numerusform>
            <numerusform>{count} Modelle werden verglichen</numerusform>
        </translation>
    </message>
    <message>
        <source>{name} answers this question.</source>
        <translation>{name} beantwortet diese Frage.</translation>
    </message>
    <message>
        <source>Temperature</source>
        <translation>Temperatur</translation>
    </message>
    <message>
        <source>Low is steady, high is varied.</source>
        <translation>Niedrig: gleichmäßig; hoch: abwechslungsreich.</translation>
    </message>
    <message>
        <source>How many of the likely words are considered.</source>
        <translation>Wie viele der wahrscheinlichen Wörter berücksichtigt werden.</translation>
    </message>
    <message>
        <source>In tokens. This much of the context is kept free.</source>
        <translation>In Token. So viel vom Kontext wird frei gehalten.</translation>
    </message>
    <message>
        <source>Reasoning effort</source>
        <translation>Denkaufwand</translation>
    </message>
    <message>
        <source>How long the model thinks before it answers.</source>
        <translation>Wie lange das Modell denkt, bevor es antwortet.</translation>
    </message>
    <message>
        <source>Stop words</source>
        <translation>Stoppwörter</translation>
    </message>
    <message>
        <source>The answer ends before any of these. One a line, at most four.</source>
        <translation>Die Antwort endet vor einem davon. Eines pro Zeile, höchstens vier.</translation>
    </message>
    <message>
        <source>Minimal</source>
        <translation>Minimal</translation>
    </message>
    <message>
        <source>Low</source>
        <translation>Niedrig</translation>
    </message>
    <message>
        <source>Medium</source>
        <translation>Mittel</translation>
    </message>
    <message>
        <source>High</source>
        <translation>Hoch</translation>
    </message>
    <message numerus="yes">
        <source>{count} parameters</source>
        <comment>{count} parameter</comment>
        <translation>
            <numerusform>{count} Parameter</numerusform>
            <numerusform>{count} Parameter</numerusform>
        </translation>
    </message>
    <message>
        <source>{name} {value}</source>
        <translation>{name} {value}</translation>
    </message>
    <message>
        <source>Empty means: {value}.</source>
        <translation>Leer bedeutet: {value}.</translation>
    </message>
    <message>
        <source>Same as the project: {value}</source>
        <translation>Wie das Projekt: {value}</translation>
    </message>
    <message>
        <source>Up to {number}</source>
        <translation>Bis zu {number}</translation>
    </message>
    <message>
        <source>Model&apos;s default</source>
        <translation>Vorgabe des Modells</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>Speichern</translation>
    </message>
    <message>
        <source>Used whenever this assistant answers; what is empty follows the thread.</source>
        <translation>Gilt, wann immer dieser Assistent antwortet; leere Felder richten sich nach der Unterhaltung.</translation>
    </message>
    <message>
        <source>Empties every field, so that the project&apos;s values apply.</source>
        <translation>Leert jedes Feld, sodass die Werte des Projekts gelten.</translation>
    </message>
    <message>
        <source>Empties every field, so that the model&apos;s own values apply.</source>
        <translation>Leert jedes Feld, sodass die Werte des Modells gelten.</translation>
    </message>
    <message>
        <source>{title} must be a whole number, such as {example}.</source>
        <translation>{title} muss eine ganze Zahl sein, etwa {example}.</translation>
    </message>
    <message>
        <source>{title} must be a number, such as {example}.</source>
        <translation>{title} muss eine Zahl sein, etwa {example}.</translation>
    </message>
    <message>
        <source>Parameters of this thread</source>
        <translation>Parameter dieser Unterhaltung</translation>
    </message>
    <message>
        <source>Parameters of the project {name}</source>
        <translation>Parameter des Projekts {name}</translation>
    </message>
    <message>
        <source>Parameters of {name}</source>
        <translation>Parameter von {name}</translation>
    </message>
    <message>
        <source>Parameters of the assistant</source>
        <translation>Parameter des Assistenten</translation>
    </message>
    <message>
        <source>The model</source>
        <translation>Das Modell</translation>
    </message>
    <message>
        <source>Used from the next answer on.</source>
        <translation>Gilt ab der nächsten Antwort.</translation>
    </message>
    <message>
        <source>Used in threads that have none of their own.</source>
        <translation>Gilt in Unterhaltungen, die keine eigenen haben.</translation>
    </message>
    <message>
        <source>{others} or {last}</source>
        <translation>{others} oder {last}</translation>
    </message>
    <message>
        <source>{model} has no {parameters}.</source>
        <translation>{model} hat keine {parameters}.</translation>
    </message>
    <message>
        <source>Parameters: {parameters}</source>
        <translation>Parameter: {parameters}</translation>
    </message>
    <message>
        <source>change the parameters</source>
        <translation>Parameter ändern</translation>
    </message>
    <message>
        <source>Saved. The next answer is made with these parameters.</source>
        <translation>Gespeichert. Die nächste Antwort entsteht mit diesen Parametern.</translation>
    </message>
    <message>
        <source>Saved for all threads of the project that have none of their own.</source>
        <translation>Gespeichert für alle Unterhaltungen des Projekts, die keine eigenen haben.</translation>
    </message>
    <message>
        <source>Send it there</source>
        <translation>Dorthin senden</translation>
    </message>
    <message>
        <source>Keep the temporary chat?</source>
        <translation>Den temporären Chat behalten?</translation>
    </message>
    <message>
        <source>Nothing of it is stored. Keep it as a thread like any other, or let it go for good.</source>
        <translation>Nichts davon ist gespeichert. Behalten Sie ihn als gewöhnliche Unterhaltung, oder verwerfen Sie ihn endgültig.</translation>
    </message>
    <message>
        <source>Do not keep</source>
        <translation>Nicht behalten</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>Behalten</translation>
    </message>
    <message>
        <source>Keep and go on</source>
        <translation>Behalten und weiter</translation>
    </message>
    <message>
        <source>The chat is kept as soon as the answer is written.</source>
        <translation>Der Chat wird behalten, sobald die Antwort fertig ist.</translation>
    </message>
    <message>
        <source>Kept. It is a thread like any other now.</source>
        <translation>Behalten. Es ist jetzt eine gewöhnliche Unterhaltung.</translation>
    </message>
    <message>
        <source>Temporary chat</source>
        <translation>Temporärer Chat</translation>
    </message>
    <message>
        <source>Go to the temporary chat</source>
        <translation>Zum temporären Chat</translation>
    </message>
    <message>
        <source>Save code</source>
        <translation>Code speichern</translation>
    </message>
    <message>
        <source>Save a copy</source>
        <translation>Kopie speichern</translation>
    </message>
    <message>
        <source>Page of an answer</source>
        <translation>Seite einer Antwort</translation>
    </message>
    <message>
        <source>No browser could be opened.</source>
        <translation>Es konnte kein Browser geöffnet werden.</translation>
    </message>
    <message>
        <source>Choose a browser in the settings of your system, or save the page as a file.</source>
        <translation>Wählen Sie einen Browser in den Einstellungen Ihres Systems, oder speichern Sie die Seite als Datei.</translation>
    </message>
    <message>
        <source>Opened in your browser</source>
        <translation>In Ihrem Browser geöffnet</translation>
    </message>
    <message>
        <source>Saved to {name}</source>
        <translation>In {name} gespeichert</translation>
    </message>
    <message>
        <source>The message is unchanged.</source>
        <translation>Die Nachricht ist unverändert.</translation>
    </message>
    <message>
        <source>Undone</source>
        <translation>Rückgängig gemacht</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>Wiederholen</translation>
    </message>
    <message>
        <source>Redo</source>
        <comment>a step</comment>
        <translation>Wiederholen</translation>
    </message>
    <message>
        <source>This cannot be undone: {label}.</source>
        <translation>Das lässt sich nicht rückgängig machen: {label}.</translation>
    </message>
    <message>
        <source>{words} Before it: {older}, which was left as it is.</source>
        <translation>{words} Davor: {older}; das blieb, wie es ist.</translation>
    </message>
    <message>
        <source>Undo that, too</source>
        <translation>Auch das rückgängig machen</translation>
    </message>
    <message>
        <source>Redone</source>
        <translation>Wiederholt</translation>
    </message>
    <message>
        <source>{what} in “{title}”: {label}</source>
        <translation>{what} in „{title}“: {label}</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages moved to the trash</source>
        <comment>Message moved to the trash</comment>
        <translation>
            <numerusform>Nachricht in den Papierkorb verschoben</numerusform>
            <numerusform>{count} Nachrichten in den Papierkorb verschoben</numerusform>
        </translation>
    </message>
    <message>
        <source>your question</source>
        <translation>Ihre Frage</translation>
    </message>
    <message>
        <source>your draft</source>
        <translation>Ihr Entwurf</translation>
    </message>
    <message>
        <source>your artifact</source>
        <translation>Ihr Artefakt</translation>
    </message>
    <message numerus="yes">
        <source>{names} are not saved yet, but kept here. ChatDesk tries again.</source>
        <comment>{names} is not saved yet, but kept here. ChatDesk tries again.</comment>
        <translation>
            <numerusform>{names} ist noch nicht gespeichert, wird aber hier aufgehoben. ChatDesk versucht es erneut.</numerusform>
            <numerusform>{names} sind noch nicht gespeichert, werden aber hier aufgehoben. ChatDesk versucht es erneut.</numerusform>
        </translation>
    </message>
    <message>
        <source>Version {number} of {count}, edited by you</source>
        <translation>Version {number} von {count}, von Ihnen bearbeitet</translation>
    </message>
    <message>
        <source>Version {number} of {count}</source>
        <translation>Version {number} von {count}</translation>
    </message>
    <message>
        <source>Version {number} of {count}, edited by {name}</source>
        <translation>Version {number} von {count}, bearbeitet von {name}</translation>
    </message>
    <message>
        <source>Version {number} of {count}, by {name}</source>
        <translation>Version {number} von {count}, von {name}</translation>
    </message>
    <message>
        <source>Sent when the answer is complete:</source>
        <translation>Wird gesendet, wenn die Antwort vollständig ist:</translation>
    </message>
    <message>
        <source>Not sent: the answer before was not completed. Send it now, or edit it.</source>
        <translation>Nicht gesendet: Die Antwort davor wurde nicht vollständig. Senden Sie die Frage jetzt, oder bearbeiten Sie sie.</translation>
    </message>
    <message>
        <source>There is only one model yet: add another in Settings</source>
        <translation>Es gibt erst ein Modell: Fügen Sie in den Einstellungen ein weiteres hinzu</translation>
    </message>
    <message>
        <source>Kept. The other answers stay as versions.</source>
        <translation>Behalten. Die anderen Antworten bleiben als Versionen.</translation>
    </message>
    <message>
        <source>Compare models</source>
        <translation>Modelle vergleichen</translation>
    </message>
    <message>
        <source>Search models</source>
        <translation>Modelle suchen</translation>
    </message>
    <message>
        <source>Compare</source>
        <translation>Vergleichen</translation>
    </message>
    <message>
        <source>Your questions in this thread go to {fewest} to {most} models at once, and each model costs what it costs alone. You keep the answer you like.</source>
        <translation>Ihre Fragen in dieser Unterhaltung gehen an {fewest} bis {most} Modelle zugleich, und jedes kostet so viel wie einzeln. Sie behalten die Antwort, die Ihnen gefällt.</translation>
    </message>
    <message>
        <source>All passages of the project&apos;s files, and later what changes in them and each question, go to {provider}.</source>
        <translation>Alle Stellen der Projektdateien, und später jede Änderung daran und jede Frage, gehen an {provider}.</translation>
    </message>
    <message>
        <source>It is a server on this computer.</source>
        <translation>Es ist ein Server auf diesem Computer.</translation>
    </message>
    <message>
        <source>They leave this computer.</source>
        <translation>Sie verlassen diesen Computer.</translation>
    </message>
    <message>
        <source>Now that is {texts}, about {tokens} tokens, in {requests}.</source>
        <translation>Jetzt sind das {texts}, etwa {tokens} Token, in {requests}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} passages</source>
        <comment>{count} passage</comment>
        <translation>
            <numerusform>{count} Stelle</numerusform>
            <numerusform>{count} Stellen</numerusform>
        </translation>
    </message>
    <message>
        <source>The price of {model} is not known.</source>
        <translation>Der Preis von {model} ist nicht bekannt.</translation>
    </message>
    <message>
        <source>That costs about ${dollars}.</source>
        <translation>Das kostet etwa ${dollars}.</translation>
    </message>
    <message>
        <source>the vectors that come with ChatDesk</source>
        <translation>den Vektoren, die ChatDesk mitbringt</translation>
    </message>
    <message>
        <source>Found by meaning with {name}.</source>
        <translation>Nach Bedeutung gefunden mit {name}.</translation>
    </message>
    <message>
        <source>{done} of {total} passages have vectors of {name}, which answers once all have.</source>
        <translation>{done} von {total} Stellen haben Vektoren von {name}; damit wird gesucht, sobald alle sie haben.</translation>
    </message>
    <message numerus="yes">
        <source>{count} passages wait for it.</source>
        <comment>{count} passage waits for it.</comment>
        <translation>
            <numerusform>{count} Stelle wartet darauf.</numerusform>
            <numerusform>{count} Stellen warten darauf.</numerusform>
        </translation>
    </message>
    <message>
        <source>The last question was compared by the vectors that come with ChatDesk: {reason}</source>
        <translation>Die letzte Frage wurde mit den Vektoren verglichen, die ChatDesk mitbringt: {reason}</translation>
    </message>
    <message>
        <source>{model} of {provider}</source>
        <translation>{model} von {provider}</translation>
    </message>
    <message>
        <source>An answer is ready</source>
        <translation>Eine Antwort ist fertig</translation>
    </message>
    <message>
        <source>An answer failed</source>
        <translation>Eine Antwort ist fehlgeschlagen</translation>
    </message>
    <message>
        <source>{server_name} waits for your approval</source>
        <translation>{server_name} wartet auf Ihre Zustimmung</translation>
    </message>
    <message>
        <source>ChatDesk cannot be started at login from here.</source>
        <translation>ChatDesk kann von hier aus nicht bei der Anmeldung gestartet werden.</translation>
    </message>
    <message>
        <source>Add it to the programs that your system starts at login.</source>
        <translation>Fügen Sie es den Programmen hinzu, die Ihr System bei der Anmeldung startet.</translation>
    </message>
    <message>
        <source>The file for starting at login could not be changed: {strerror}.</source>
        <translation>Die Datei für den Start bei der Anmeldung konnte nicht geändert werden: {strerror}.</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Öffnen</translation>
    </message>
    <message>
        <source>They show the quick window in whatever program you are.</source>
        <translation>Sie zeigen das Schnellfenster, egal in welchem Programm Sie gerade sind.</translation>
    </message>
    <message>
        <source>The environment variable {name} decides this.</source>
        <translation>Die Umgebungsvariable {name} bestimmt das.</translation>
    </message>
    <message>
        <source>Keys for a quick question</source>
        <translation>Tasten für eine schnelle Frage</translation>
    </message>
    <message>
        <source>Command: {command}</source>
        <translation>Befehl: {command}</translation>
    </message>
    <message>
        <source>Copy the command</source>
        <translation>Befehl kopieren</translation>
    </message>
    <message>
        <source>Asking the desktop for the keys. It may show you a question.</source>
        <translation>Der Desktop wird um die Tasten gebeten. Vielleicht stellt er Ihnen eine Frage.</translation>
    </message>
    <message>
        <source>The desktop shows it at: {keys}.</source>
        <translation>Der Desktop zeigt es bei: {keys}.</translation>
    </message>
    <message>
        <source>The keys work.</source>
        <translation>Die Tasten funktionieren.</translation>
    </message>
    <message>
        <source>The desktop did not give ChatDesk these keys. Try again, or bind this command to keys in your desktop&apos;s settings:</source>
        <translation>Der Desktop hat ChatDesk diese Tasten nicht zugeteilt. Versuchen Sie es erneut, oder legen Sie Tasten für diesen Befehl in den Einstellungen Ihres Desktops fest:</translation>
    </message>
    <message>
        <source>The desktop has no name for {keys}. Choose other keys, or bind this command in your desktop&apos;s settings:</source>
        <translation>Der Desktop hat keinen Namen für {keys}. Wählen Sie andere Tasten, oder legen Sie Tasten für diesen Befehl in den Einstellungen Ihres Desktops fest:</translation>
    </message>
    <message>
        <source>This desktop gives no keys to programs. Bind this command to keys in your desktop&apos;s settings:</source>
        <translation>Dieser Desktop teilt Programmen keine Tasten zu. Legen Sie Tasten für diesen Befehl in den Einstellungen Ihres Desktops fest:</translation>
    </message>
    <message numerus="yes">
        <source>{count} answers being written</source>
        <comment>{count} answer being written</comment>
        <translation>
            <numerusform>{count} Antwort wird geschrieben</numerusform>
            <numerusform>{count} Antworten werden geschrieben</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} unread messages</source>
        <comment>{count} unread message</comment>
        <translation>
            <numerusform>{count} ungelesene Nachricht</numerusform>
            <numerusform>{count} ungelesene Nachrichten</numerusform>
        </translation>
    </message>
    <message>
        <source>Open ChatDesk</source>
        <translation>ChatDesk öffnen</translation>
    </message>
    <message>
        <source>Quit ChatDesk</source>
        <translation>ChatDesk beenden</translation>
    </message>
    <message>
        <source>The summary is out of date and not sent. Make it again to have it sent.</source>
        <translation>Die Zusammenfassung ist veraltet und wird nicht gesendet. Erstellen Sie sie neu, damit sie gesendet wird.</translation>
    </message>
    <message>
        <source>summary out of date</source>
        <translation>Zusammenfassung veraltet</translation>
    </message>
    <message numerus="yes">
        <source>≈ {count} tokens</source>
        <comment>≈ {count} token</comment>
        <translation>
            <numerusform>≈ {count} Token</numerusform>
            <numerusform>≈ {count} Token</numerusform>
        </translation>
    </message>
    <message>
        <source>About {used} of {window} tokens are taken; {reserved} are kept for the answer.</source>
        <translation>Etwa {used} von {window} Token sind belegt; {reserved} sind für die Antwort vorgesehen.</translation>
    </message>
    <message>
        <source>{used} of {window} tokens are taken; {reserved} are kept for the answer.</source>
        <translation>{used} von {window} Token sind belegt; {reserved} sind für die Antwort vorgesehen.</translation>
    </message>
    <message>
        <source>Your message alone does not fit: shorten it, attach it, or choose a larger model.</source>
        <translation>Schon Ihre Nachricht allein passt nicht hinein: Kürzen Sie sie, hängen Sie sie an, oder wählen Sie ein größeres Modell.</translation>
    </message>
    <message numerus="yes">
        <source>It is full: {count} older messages stay behind because of what you are writing.</source>
        <comment>It is full: {count} older message stays behind because of what you are writing.</comment>
        <translation>
            <numerusform>Er ist voll: Wegen Ihrer Eingabe bleibt {count} ältere Nachricht zurück.</numerusform>
            <numerusform>Er ist voll: Wegen Ihrer Eingabe bleiben {count} ältere Nachrichten zurück.</numerusform>
        </translation>
    </message>
    <message>
        <source>It is full: the oldest messages stay behind when you send.</source>
        <translation>Er ist voll: Die ältesten Nachrichten bleiben beim Senden zurück.</translation>
    </message>
    <message>
        <source>{free} tokens are free before older messages stay behind.</source>
        <translation>Noch {free} Token sind frei, bevor ältere Nachrichten zurückbleiben.</translation>
    </message>
    <message>
        <source>The count is an estimate for this model.</source>
        <translation>Die Zahl ist für dieses Modell geschätzt.</translation>
    </message>
    <message>
        <source>Context</source>
        <translation>Kontext</translation>
    </message>
    <message>
        <source>Summary</source>
        <translation>Zusammenfassung</translation>
    </message>
    <message>
        <source>Usage</source>
        <translation>Nutzung</translation>
    </message>
    <message>
        <source>Tree</source>
        <translation>Baum</translation>
    </message>
    <message>
        <source>Questions</source>
        <translation>Fragen</translation>
    </message>
    <message>
        <source>Artifacts</source>
        <translation>Artefakte</translation>
    </message>
    <message>
        <source>Pinned: it goes with every question of this thread</source>
        <translation>Festgehalten: wird mit jeder Frage dieser Unterhaltung gesendet</translation>
    </message>
    <message>
        <source>Left out of this thread</source>
        <translation>In dieser Unterhaltung weggelassen</translation>
    </message>
    <message>
        <source>Sent where it fits the question</source>
        <translation>Wird gesendet, wenn sie zur Frage passt</translation>
    </message>
    <message>
        <source>Hide the inspector</source>
        <translation>Inspektor ausblenden</translation>
    </message>
    <message>
        <source>Show the inspector</source>
        <translation>Inspektor einblenden</translation>
    </message>
    <message>
        <source>Request copied</source>
        <translation>Anfrage kopiert</translation>
    </message>
    <message>
        <source>The summary is being made in the background</source>
        <translation>Die Zusammenfassung wird im Hintergrund erstellt</translation>
    </message>
    <message>
        <source>The older messages of this thread no longer fit.</source>
        <translation>Die älteren Nachrichten dieser Unterhaltung passen nicht mehr hinein.</translation>
    </message>
    <message>
        <source>{taken} so far.</source>
        <translation>Bisher {taken}.</translation>
    </message>
    <message>
        <source>No price is known for {model}.</source>
        <translation>Für {model} ist kein Preis bekannt.</translation>
    </message>
    <message>
        <source>Until then only the newest messages are sent.</source>
        <translation>Bis dahin werden nur die neuesten Nachrichten gesendet.</translation>
    </message>
    <message numerus="yes">
        <source>Summarising the older messages: {requests} of about {count} requests, {spent}.</source>
        <comment>Summarising the older messages: {requests} of about {count} request, {spent}.</comment>
        <translation>
            <numerusform>Ältere Nachrichten werden zusammengefasst: {requests} von etwa {count} Anfrage, {spent}.</numerusform>
            <numerusform>Ältere Nachrichten werden zusammengefasst: {requests} von etwa {count} Anfragen, {spent}.</numerusform>
        </translation>
    </message>
    <message>
        <source>Older messages summarised: {taken}</source>
        <translation>Ältere Nachrichten zusammengefasst: {taken}</translation>
    </message>
    <message numerus="yes">
        <source>Summarising them with {model} takes about {count} requests and {tokens} tokens.</source>
        <comment>Summarising them with {model} takes about {count} request and {tokens} tokens.</comment>
        <translation>
            <numerusform>Das Zusammenfassen mit {model} braucht etwa {count} Anfrage und {tokens} Token.</numerusform>
            <numerusform>Das Zusammenfassen mit {model} braucht etwa {count} Anfragen und {tokens} Token.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Summarising them with {model} takes about {count} requests and {tokens} tokens, at no cost.</source>
        <comment>Summarising them with {model} takes about {count} request and {tokens} tokens, at no cost.</comment>
        <translation>
            <numerusform>Das Zusammenfassen mit {model} braucht etwa {count} Anfrage und {tokens} Token, ohne Kosten.</numerusform>
            <numerusform>Das Zusammenfassen mit {model} braucht etwa {count} Anfragen und {tokens} Token, ohne Kosten.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Summarising them with {model} takes about {count} requests and {tokens} tokens, about {cost}.</source>
        <comment>Summarising them with {model} takes about {count} request and {tokens} tokens, about {cost}.</comment>
        <translation>
            <numerusform>Das Zusammenfassen mit {model} braucht etwa {count} Anfrage und {tokens} Token, etwa {cost}.</numerusform>
            <numerusform>Das Zusammenfassen mit {model} braucht etwa {count} Anfragen und {tokens} Token, etwa {cost}.</numerusform>
        </translation>
    </message>
    <message>
        <source>the server&apos;s own model</source>
        <translation>das eigene Modell des Servers</translation>
    </message>
    <message numerus="yes">
        <source>{count} requests, {spent}</source>
        <comment>{count} request, {spent}</comment>
        <translation>
            <numerusform>{count} Anfrage, {spent}</numerusform>
            <numerusform>{count} Anfragen, {spent}</numerusform>
        </translation>
    </message>
    <message>
        <source>{tokens} tokens, {cost}</source>
        <translation>{tokens} Token, {cost}</translation>
    </message>
    <message>
        <source>{tokens} tokens</source>
        <translation>{tokens} Token</translation>
    </message>
    <message>
        <source>Summarise</source>
        <translation>Zusammenfassen</translation>
    </message>
    <message>
        <source>Not now</source>
        <translation>Jetzt nicht</translation>
    </message>
    <message>
        <source>Pinned into the context</source>
        <translation>Im Kontext festgehalten</translation>
    </message>
    <message>
        <source>Excluded from the context</source>
        <translation>Aus dem Kontext genommen</translation>
    </message>
    <message>
        <source>Sent as it fits</source>
        <translation>Wird gesendet, soweit es hineinpasst</translation>
    </message>
    <message>
        <source>The context starts here</source>
        <translation>Der Kontext beginnt hier</translation>
    </message>
    <message>
        <source>The context starts at the beginning</source>
        <translation>Der Kontext beginnt am Anfang</translation>
    </message>
    <message>
        <source>Pinned</source>
        <translation>Angeheftet</translation>
    </message>
    <message>
        <source>No longer pinned</source>
        <translation>Nicht mehr angeheftet</translation>
    </message>
    <message>
        <source>Archived</source>
        <translation>Archiviert</translation>
    </message>
    <message>
        <source>Out of the archive</source>
        <translation>Aus dem Archiv geholt</translation>
    </message>
    <message>
        <source>Moved to the trash</source>
        <translation>In den Papierkorb verschoben</translation>
    </message>
    <message>
        <source>Restored</source>
        <translation>Wiederhergestellt</translation>
    </message>
    <message>
        <source>Moved to {name}</source>
        <translation>Nach {name} verschoben</translation>
    </message>
    <message>
        <source>Tags changed</source>
        <translation>Schlagwörter geändert</translation>
    </message>
    <message>
        <source>1 thread</source>
        <translation>1 Unterhaltung</translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads for good?</source>
        <comment>Delete this thread for good?</comment>
        <translation>
            <numerusform>Diese Unterhaltung endgültig löschen?</numerusform>
            <numerusform>{count} Unterhaltungen endgültig löschen?</numerusform>
        </translation>
    </message>
    <message>
        <source>{title}: all messages are removed. This cannot be undone.</source>
        <translation>{title}: Alle Nachrichten werden entfernt. Das lässt sich nicht rückgängig machen.</translation>
    </message>
    <message>
        <source>Delete for good</source>
        <translation>Endgültig löschen</translation>
    </message>
    <message>
        <source>The trash is empty.</source>
        <translation>Der Papierkorb ist leer.</translation>
    </message>
    <message>
        <source>Empty the trash?</source>
        <translation>Papierkorb leeren?</translation>
    </message>
    <message>
        <source>Empty the trash</source>
        <translation>Papierkorb leeren</translation>
    </message>
    <message>
        <source>delete for good</source>
        <translation>endgültig löschen</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads are gone.</source>
        <comment>{count} thread is gone.</comment>
        <translation>
            <numerusform>{count} Unterhaltung wurde gelöscht.</numerusform>
            <numerusform>{count} Unterhaltungen wurden gelöscht.</numerusform>
        </translation>
    </message>
    <message>
        <source>rename tag</source>
        <translation>Schlagwort umbenennen</translation>
    </message>
    <message>
        <source>The tag is called {name} now</source>
        <translation>Das Schlagwort heißt jetzt {name}</translation>
    </message>
    <message>
        <source>The tag was deleted; its threads stay</source>
        <translation>Das Schlagwort wurde gelöscht; seine Unterhaltungen bleiben</translation>
    </message>
    <message numerus="yes">
        <source>Pin {count} threads</source>
        <comment>Pin thread</comment>
        <translation>
            <numerusform>Unterhaltung anheften</numerusform>
            <numerusform>{count} Unterhaltungen anheften</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Unpin {count} threads</source>
        <comment>Unpin thread</comment>
        <translation>
            <numerusform>Unterhaltung lösen</numerusform>
            <numerusform>{count} Unterhaltungen lösen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Archive {count} threads</source>
        <comment>Archive thread</comment>
        <translation>
            <numerusform>Unterhaltung archivieren</numerusform>
            <numerusform>{count} Unterhaltungen archivieren</numerusform>
        </translation>
    </message>
    <message>
        <source>Take out of the archive</source>
        <translation>Aus dem Archiv holen</translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads for good…</source>
        <comment>Delete thread for good…</comment>
        <translation>
            <numerusform>Unterhaltung endgültig löschen…</numerusform>
            <numerusform>{count} Unterhaltungen endgültig löschen…</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads</source>
        <comment>Delete thread</comment>
        <translation>
            <numerusform>Unterhaltung löschen</numerusform>
            <numerusform>{count} Unterhaltungen löschen</numerusform>
        </translation>
    </message>
    <message>
        <source>Sort threads by last activity</source>
        <translation>Unterhaltungen nach letzter Aktivität ordnen</translation>
    </message>
    <message>
        <source>Sort threads by name</source>
        <translation>Unterhaltungen nach Name ordnen</translation>
    </message>
    <message>
        <source>Group threads by date</source>
        <translation>Unterhaltungen nach Datum gruppieren</translation>
    </message>
    <message>
        <source>Group threads by project</source>
        <translation>Unterhaltungen nach Projekt gruppieren</translation>
    </message>
    <message>
        <source>Sorted by name</source>
        <translation>Nach Name geordnet</translation>
    </message>
    <message>
        <source>Sorted by last activity</source>
        <translation>Nach letzter Aktivität geordnet</translation>
    </message>
    <message>
        <source>Grouped by project</source>
        <translation>Nach Projekt gruppiert</translation>
    </message>
    <message>
        <source>Grouped by date</source>
        <translation>Nach Datum gruppiert</translation>
    </message>
    <message>
        <source>Move to a project</source>
        <translation>In ein Projekt verschieben</translation>
    </message>
    <message>
        <source>Move to a project: {what}</source>
        <translation>In ein Projekt verschieben: {what}</translation>
    </message>
    <message>
        <source>Teal</source>
        <translation>Petrol</translation>
    </message>
    <message>
        <source>Blue</source>
        <translation>Blau</translation>
    </message>
    <message>
        <source>Indigo</source>
        <translation>Indigo</translation>
    </message>
    <message>
        <source>Purple</source>
        <translation>Lila</translation>
    </message>
    <message>
        <source>Magenta</source>
        <translation>Magenta</translation>
    </message>
    <message>
        <source>Red</source>
        <translation>Rot</translation>
    </message>
    <message>
        <source>Orange</source>
        <translation>Orange</translation>
    </message>
    <message>
        <source>Olive</source>
        <translation>Oliv</translation>
    </message>
    <message>
        <source>Green</source>
        <translation>Grün</translation>
    </message>
    <message>
        <source>Slate</source>
        <translation>Schiefer</translation>
    </message>
    <message>
        <source>The current colour</source>
        <translation>Die jetzige Farbe</translation>
    </message>
    <message>
        <source>New project</source>
        <translation>Neues Projekt</translation>
    </message>
    <message>
        <source>Edit project</source>
        <translation>Projekt bearbeiten</translation>
    </message>
    <message>
        <source>Name of the project</source>
        <translation>Name des Projekts</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Name</translation>
    </message>
    <message>
        <source>Colour</source>
        <translation>Farbe</translation>
    </message>
    <message>
        <source>New threads begin with</source>
        <translation>Neue Unterhaltungen beginnen mit</translation>
    </message>
    <message>
        <source>Folder of the project</source>
        <translation>Ordner des Projekts</translation>
    </message>
    <message>
        <source>Folder on this computer, for tools (optional)</source>
        <translation>Ordner auf diesem Computer, für Werkzeuge (optional)</translation>
    </message>
    <message>
        <source>Create</source>
        <translation>Anlegen</translation>
    </message>
    <message>
        <source>Instructions</source>
        <translation>Anweisungen</translation>
    </message>
    <message>
        <source>For example: answer as an editor would, in British English.</source>
        <translation>Zum Beispiel: Antworte wie ein Lektor, auf Deutsch.</translation>
    </message>
    <message>
        <source>Instructions for its threads (optional)</source>
        <translation>Anweisungen für seine Unterhaltungen (optional)</translation>
    </message>
    <message>
        <source>Model that new threads begin with</source>
        <translation>Modell, mit dem neue Unterhaltungen beginnen</translation>
    </message>
    <message>
        <source>The model chosen in the settings</source>
        <translation>Das in den Einstellungen gewählte Modell</translation>
    </message>
    <message>
        <source>Archive</source>
        <translation>Archiv</translation>
    </message>
    <message>
        <source>Move out of the archive</source>
        <translation>Aus dem Archiv holen</translation>
    </message>
    <message>
        <source>Archive</source>
        <comment>verb</comment>
        <translation>Archivieren</translation>
    </message>
    <message>
        <source>Delete…</source>
        <translation>Löschen…</translation>
    </message>
    <message>
        <source>All projects</source>
        <translation>Alle Projekte</translation>
    </message>
    <message>
        <source>Edit {name}…</source>
        <translation>{name} bearbeiten…</translation>
    </message>
    <message>
        <source>Sharing of {name}…</source>
        <translation>Teilen von {name}…</translation>
    </message>
    <message>
        <source>Share {name}…</source>
        <translation>{name} teilen…</translation>
    </message>
    <message>
        <source>In the trash</source>
        <translation>Im Papierkorb</translation>
    </message>
    <message>
        <source>add project</source>
        <translation>Projekt hinzufügen</translation>
    </message>
    <message>
        <source>change project</source>
        <translation>Projekt ändern</translation>
    </message>
    <message>
        <source>The project was changed</source>
        <translation>Das Projekt wurde geändert</translation>
    </message>
    <message>
        <source>archive project</source>
        <translation>Projekt archivieren</translation>
    </message>
    <message>
        <source>unarchive project</source>
        <translation>Projekt aus dem Archiv holen</translation>
    </message>
    <message>
        <source>Archived: {name}</source>
        <translation>Archiviert: {name}</translation>
    </message>
    <message>
        <source>Out of the archive: {name}</source>
        <translation>Aus dem Archiv geholt: {name}</translation>
    </message>
    <message>
        <source>Delete the project “{name}”?</source>
        <translation>Das Projekt „{name}“ löschen?</translation>
    </message>
    <message>
        <source>Move to trash</source>
        <translation>In den Papierkorb</translation>
    </message>
    <message>
        <source>Moved to the trash: {name}</source>
        <translation>In den Papierkorb verschoben: {name}</translation>
    </message>
    <message>
        <source>The project was restored</source>
        <translation>Das Projekt wurde wiederhergestellt</translation>
    </message>
    <message>
        <source>Take project out of the archive</source>
        <translation>Projekt aus dem Archiv holen</translation>
    </message>
    <message>
        <source>Archive project</source>
        <translation>Projekt archivieren</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads go to the trash with it ({archived} archived).</source>
        <comment>{count} thread goes to the trash with it ({archived} archived).</comment>
        <translation>
            <numerusform>{count} Unterhaltung geht mit in den Papierkorb ({archived} archiviert).</numerusform>
            <numerusform>{count} Unterhaltungen gehen mit in den Papierkorb ({archived} archiviert).</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads go to the trash with it.</source>
        <comment>{count} thread goes to the trash with it.</comment>
        <translation>
            <numerusform>{count} Unterhaltung geht mit in den Papierkorb.</numerusform>
            <numerusform>{count} Unterhaltungen gehen mit in den Papierkorb.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>All of it can be restored for {count} days.</source>
        <comment>All of it can be restored for {count} day.</comment>
        <translation>
            <numerusform>Alles kann {count} Tag lang wiederhergestellt werden.</numerusform>
            <numerusform>Alles kann {count} Tage lang wiederhergestellt werden.</numerusform>
        </translation>
    </message>
    <message>
        <source>{name} ({number}, made {day})</source>
        <translation>{name} ({number}, angelegt {day})</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads of all projects, with all messages, will be removed. This cannot be undone.</source>
        <comment>{count} thread of all projects, with all messages, will be removed. This cannot be undone.</comment>
        <translation>
            <numerusform>{count} Unterhaltung aller Projekte wird mit allen Nachrichten entfernt. Das lässt sich nicht rückgängig machen.</numerusform>
            <numerusform>{count} Unterhaltungen aller Projekte werden mit allen Nachrichten entfernt. Das lässt sich nicht rückgängig machen.</numerusform>
        </translation>
    </message>
    <message>
        <source>In shared projects it erases for everyone what you wrote, or all of it where you are an owner or admin. The rest is hidden on this computer only.</source>
        <translation>In geteilten Projekten löscht das für alle, was Sie geschrieben haben, oder alles dort, wo Sie Eigentümer oder Verwalter sind. Der Rest wird nur auf diesem Computer verborgen.</translation>
    </message>
    <message>
        <source>Tags: {what}</source>
        <translation>Schlagwörter: {what}</translation>
    </message>
    <message>
        <source>New tag</source>
        <translation>Neues Schlagwort</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>Umbenennen</translation>
    </message>
    <message>
        <source>There are no tags yet. Put one on a thread with “Tags…” in its menu.</source>
        <translation>Es gibt noch keine Schlagwörter. Versehen Sie eine Unterhaltung über „Schlagwörter…“ in ihrem Menü mit einem.</translation>
    </message>
    <message>
        <source>Close the open dialog first, then open the link again. Nothing was changed.</source>
        <translation>Schließen Sie zuerst den offenen Dialog und öffnen Sie den Link dann erneut. Es wurde nichts geändert.</translation>
    </message>
    <message>
        <source>The message of the link is not shown in this thread: it was deleted, or is in another version.</source>
        <translation>Die Nachricht des Links wird in dieser Unterhaltung nicht gezeigt: Sie wurde gelöscht oder steht in einer anderen Version.</translation>
    </message>
    <message>
        <source>The thread of this link is not on this computer.</source>
        <translation>Die Unterhaltung dieses Links ist nicht auf diesem Computer.</translation>
    </message>
    <message>
        <source>If it belongs to a project that is shared with you, wait until it is synced, then open the link again.</source>
        <translation>Wenn er zu einem mit Ihnen geteilten Projekt gehört, warten Sie auf den Abgleich und öffnen Sie den Link dann erneut.</translation>
    </message>
    <message>
        <source>A temporary chat has no link, because nothing of it is stored.</source>
        <translation>Ein temporärer Chat hat keinen Link, weil nichts davon gespeichert ist.</translation>
    </message>
    <message>
        <source>Link copied. It opens the thread on your computers that have it.</source>
        <translation>Link kopiert. Er öffnet die Unterhaltung auf Ihren Computern, die sie haben.</translation>
    </message>
    <message>
        <source>Revoke the token “{name}”?</source>
        <translation>Das Token „{name}“ widerrufen?</translation>
    </message>
    <message>
        <source>Programs that use it are refused from now on, and what they are doing ends. This cannot be undone.</source>
        <translation>Programme, die es benutzen, werden ab jetzt abgewiesen, und was sie gerade tun, endet. Das lässt sich nicht rückgängig machen.</translation>
    </message>
    <message>
        <source>Revoke</source>
        <translation>Widerrufen</translation>
    </message>
    <message>
        <source>Editors, scripts and browsers of this computer read, write and ask over HTTP, with a token of yours.</source>
        <translation>Editoren, Skripte und Browser dieses Computers lesen, schreiben und fragen über HTTP, mit einem Token von Ihnen.</translation>
    </message>
    <message>
        <source>Turn the service on to make tokens and to see the existing ones.</source>
        <translation>Schalten Sie den Dienst ein, um Token zu erstellen und die vorhandenen zu sehen.</translation>
    </message>
    <message>
        <source>There are no tokens. Each program gets one of its own.</source>
        <translation>Es gibt keine Token. Jedes Programm bekommt ein eigenes.</translation>
    </message>
    <message>
        <source>The environment variable {fixed_by} decides this.</source>
        <translation>Die Umgebungsvariable {fixed_by} bestimmt das.</translation>
    </message>
    <message>
        <source>Copy address</source>
        <translation>Adresse kopieren</translation>
    </message>
    <message>
        <source>New token…</source>
        <translation>Neues Token…</translation>
    </message>
    <message>
        <source>On, at {address}</source>
        <translation>An, unter {address}</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>Startet…</translation>
    </message>
    <message>
        <source>Tokens</source>
        <comment>access</comment>
        <translation>Zugriffstoken</translation>
    </message>
    <message>
        <source>Tokens</source>
        <translation>Token</translation>
    </message>
    <message>
        <source>The address is in the clipboard.</source>
        <translation>Die Adresse ist in der Zwischenablage.</translation>
    </message>
    <message>
        <source>Revoke…</source>
        <translation>Widerrufen…</translation>
    </message>
    <message>
        <source>Revoke {name}</source>
        <translation>{name} widerrufen</translation>
    </message>
    <message>
        <source>a project in the trash</source>
        <translation>ein Projekt im Papierkorb</translation>
    </message>
    <message>
        <source>all projects</source>
        <translation>alle Projekte</translation>
    </message>
    <message>
        <source>until {moment}</source>
        <translation>bis {moment}</translation>
    </message>
    <message>
        <source>last used {moment}</source>
        <translation>zuletzt benutzt {moment}</translation>
    </message>
    <message>
        <source>30 days</source>
        <translation>30 Tage</translation>
    </message>
    <message>
        <source>90 days</source>
        <translation>90 Tage</translation>
    </message>
    <message>
        <source>A year</source>
        <translation>Ein Jahr</translation>
    </message>
    <message>
        <source>Until it is revoked</source>
        <translation>Bis es widerrufen wird</translation>
    </message>
    <message>
        <source>New token</source>
        <translation>Neues Token</translation>
    </message>
    <message>
        <source>What will use it</source>
        <translation>Was es benutzen wird</translation>
    </message>
    <message>
        <source>For example: editor</source>
        <translation>Zum Beispiel: Editor</translation>
    </message>
    <message>
        <source>Valid for</source>
        <translation>Gültig</translation>
    </message>
    <message>
        <source>The token</source>
        <translation>Das Token</translation>
    </message>
    <message>
        <source>Copy the token</source>
        <translation>Token kopieren</translation>
    </message>
    <message>
        <source>Make token</source>
        <translation>Token erstellen</translation>
    </message>
    <message>
        <source>In these projects only</source>
        <translation>Nur in diesen Projekten</translation>
    </message>
    <message>
        <source>None chosen: in all of them.</source>
        <translation>Keines gewählt: in allen.</translation>
    </message>
    <message>
        <source>This is the token for “{name}”. It is shown only now and stored nowhere: copy it to where it is used.</source>
        <translation>Das ist das Token für „{name}“. Es wird nur jetzt gezeigt und nirgends gespeichert: Kopieren Sie es dorthin, wo es benutzt wird.</translation>
    </message>
    <message>
        <source>It may</source>
        <translation>Es darf</translation>
    </message>
    <message>
        <source>Say what will use it.</source>
        <translation>Geben Sie an, was es benutzen wird.</translation>
    </message>
    <message>
        <source>Choose what it may do.</source>
        <translation>Wählen Sie, was es tun darf.</translation>
    </message>
    <message>
        <source>Making the token…</source>
        <translation>Das Token wird erstellt…</translation>
    </message>
    <message>
        <source>The token is in the clipboard.</source>
        <translation>Das Token ist in der Zwischenablage.</translation>
    </message>
    <message>
        <source>Text size {percent}%</source>
        <translation>Textgröße {percent} %</translation>
    </message>
    <message>
        <source>Assistant</source>
        <translation>Assistent</translation>
    </message>
    <message>
        <source>Assistant: {name}</source>
        <translation>Assistent: {name}</translation>
    </message>
    <message>
        <source>No assistant</source>
        <translation>Kein Assistent</translation>
    </message>
    <message>
        <source>Edit assistants…</source>
        <translation>Assistenten bearbeiten…</translation>
    </message>
    <message>
        <source>choose assistant</source>
        <translation>Assistent wählen</translation>
    </message>
    <message>
        <source>Assistants, files and resources</source>
        <translation>Assistenten, Dateien und Ressourcen</translation>
    </message>
    <message>
        <source>Their instructions, models, tools and files</source>
        <translation>Ihre Anweisungen, Modelle, Werkzeuge und Dateien</translation>
    </message>
    <message>
        <source>New assistant…</source>
        <translation>Neuer Assistent…</translation>
    </message>
    <message>
        <source>A prompt with a model, tools and files of its own, asked with @</source>
        <translation>Ein Prompt mit eigenem Modell, eigenen Werkzeugen und Dateien, gefragt mit @</translation>
    </message>
    <message numerus="yes">
        <source>{count} names, arrows choose, Enter takes it, Esc closes.</source>
        <comment>{count} name, arrows choose, Enter takes it, Esc closes.</comment>
        <translation>
            <numerusform>{count} Name, Pfeile wählen, Enter nimmt ihn, Esc schließt.</numerusform>
            <numerusform>{count} Namen, Pfeile wählen, Enter nimmt einen, Esc schließt.</numerusform>
        </translation>
    </message>
    <message>
        <source>Files of the assistant</source>
        <translation>Dateien des Assistenten</translation>
    </message>
    <message>
        <source>Sparkles</source>
        <translation>Funken</translation>
    </message>
    <message>
        <source>Brain</source>
        <translation>Gehirn</translation>
    </message>
    <message>
        <source>Light bulb</source>
        <translation>Glühbirne</translation>
    </message>
    <message>
        <source>Wand</source>
        <translation>Zauberstab</translation>
    </message>
    <message>
        <source>Pencil</source>
        <translation>Stift</translation>
    </message>
    <message>
        <source>Code</source>
        <translation>Code</translation>
    </message>
    <message>
        <source>Terminal</source>
        <translation>Terminal</translation>
    </message>
    <message>
        <source>Magnifier</source>
        <translation>Lupe</translation>
    </message>
    <message>
        <source>Languages</source>
        <translation>Sprachen</translation>
    </message>
    <message>
        <source>Letter</source>
        <translation>Brief</translation>
    </message>
    <message>
        <source>Checklist</source>
        <translation>Checkliste</translation>
    </message>
    <message>
        <source>Table</source>
        <translation>Tabelle</translation>
    </message>
    <message>
        <source>Database</source>
        <translation>Datenbank</translation>
    </message>
    <message>
        <source>Palette</source>
        <translation>Palette</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>Gauge</source>
        <translation>Anzeige</translation>
    </message>
    <message>
        <source>Star</source>
        <translation>Stern</translation>
    </message>
    <message>
        <source>Person</source>
        <translation>Person</translation>
    </message>
    <message>
        <source>People</source>
        <translation>Personen</translation>
    </message>
    <message>
        <source>As in the thread</source>
        <translation>Wie in der Unterhaltung</translation>
    </message>
    <message>
        <source>Icon</source>
        <translation>Symbol</translation>
    </message>
    <message>
        <source>Model that answers</source>
        <translation>Modell, das antwortet</translation>
    </message>
    <message>
        <source>Find by meaning with</source>
        <translation>Nach Bedeutung finden mit</translation>
    </message>
    <message>
        <source>The vectors that come with ChatDesk are made on this computer and know English best. A model for embeddings of a provider knows more languages, and gets the texts of the files.</source>
        <translation>Die Vektoren, die ChatDesk mitbringt, entstehen auf diesem Computer und kennen Englisch am besten. Das Embedding-Modell eines Anbieters kennt mehr Sprachen und bekommt die Texte der Dateien.</translation>
    </message>
    <message>
        <source>Who makes the vectors</source>
        <translation>Woher die Vektoren kommen</translation>
    </message>
    <message>
        <source>ChatDesk, on this computer</source>
        <translation>ChatDesk, auf diesem Computer</translation>
    </message>
    <message>
        <source>Model for embeddings</source>
        <translation>Embedding-Modell</translation>
    </message>
    <message>
        <source>Vectors by</source>
        <translation>Vektoren von</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Parameters</source>
        <translation>Parameter</translation>
    </message>
    <message numerus="yes">
        <source>{count} values set</source>
        <comment>{count} value set</comment>
        <translation>
            <numerusform>{count} Wert gesetzt</numerusform>
            <numerusform>{count} Werte gesetzt</numerusform>
        </translation>
    </message>
    <message>
        <source>{provider}, not set up here</source>
        <translation>{provider}, hier nicht eingerichtet</translation>
    </message>
    <message>
        <source>No tools</source>
        <translation>Keine Werkzeuge</translation>
    </message>
    <message>
        <source>Add files…</source>
        <translation>Dateien hinzufügen…</translation>
    </message>
    <message>
        <source>This computer has no keyring that could keep the key. Keep it in ChatDesk&apos;s encrypted file of keys instead; you enter its passphrase once after each start.</source>
        <translation>Dieser Computer hat keinen Schlüsselbund für den Schlüssel. Bewahren Sie ihn stattdessen in der verschlüsselten Schlüsseldatei von ChatDesk auf; ihre Passphrase geben Sie nach jedem Start einmal ein.</translation>
    </message>
    <message>
        <source>Folder that something carries between your computers</source>
        <translation>Ordner, der zwischen Ihren Computern übertragen wird</translation>
    </message>
    <message>
        <source>Browse…</source>
        <translation>Durchsuchen…</translation>
    </message>
    <message>
        <source>Choose the folder</source>
        <translation>Ordner wählen</translation>
    </message>
    <message>
        <source>Recovery phrase</source>
        <translation>Wiederherstellungsphrase</translation>
    </message>
    <message>
        <source>I have written it down, or saved it</source>
        <translation>Ich habe sie aufgeschrieben oder gespeichert</translation>
    </message>
    <message>
        <source>Copy the phrase</source>
        <translation>Phrase kopieren</translation>
    </message>
    <message>
        <source>Save to print…</source>
        <translation>Zum Drucken speichern…</translation>
    </message>
    <message>
        <source>Your other computers need this recovery phrase, and with it alone you get your chats back. Whoever has it and the folder can read everything. It is not shown again.</source>
        <translation>Ihre anderen Computer brauchen diese Wiederherstellungsphrase, und mit ihr allein bekommen Sie Ihre Chats zurück. Wer sie und den Ordner hat, kann alles lesen. Sie wird nicht noch einmal gezeigt.</translation>
    </message>
    <message>
        <source>Recovery phrase of ChatDesk for my computers: {phrase}</source>
        <translation>Wiederherstellungsphrase von ChatDesk für meine Computer: {phrase}</translation>
    </message>
    <message>
        <source>The phrase is in the clipboard.</source>
        <translation>Die Phrase ist in der Zwischenablage.</translation>
    </message>
    <message>
        <source>Save the recovery phrase</source>
        <translation>Wiederherstellungsphrase speichern</translation>
    </message>
    <message>
        <source>ChatDesk recovery phrase.txt</source>
        <translation>ChatDesk-Wiederherstellungsphrase.txt</translation>
    </message>
    <message>
        <source>Start with this computer</source>
        <translation>Mit diesem Computer beginnen</translation>
    </message>
    <message>
        <source>Check the folder</source>
        <translation>Ordner prüfen</translation>
    </message>
    <message>
        <source>Start</source>
        <translation>Beginnen</translation>
    </message>
    <message>
        <source>Writing into the folder…</source>
        <translation>In den Ordner wird geschrieben…</translation>
    </message>
    <message>
        <source>Looking at the folder…</source>
        <translation>Der Ordner wird geprüft…</translation>
    </message>
    <message>
        <source>Join your computers</source>
        <translation>Ihren Computern beitreten</translation>
    </message>
    <message>
        <source>Recovery phrase, as it was shown on the other computer</source>
        <translation>Wiederherstellungsphrase, wie sie der andere Computer gezeigt hat</translation>
    </message>
    <message>
        <source>Look inside</source>
        <translation>Hineinsehen</translation>
    </message>
    <message>
        <source>Joining…</source>
        <translation>Beitritt läuft…</translation>
    </message>
    <message>
        <source>Looking into the folder…</source>
        <translation>Der Ordner wird gelesen…</translation>
    </message>
    <message>
        <source>Remove {name}</source>
        <translation>{name} entfernen</translation>
    </message>
    <message>
        <source>{name} keeps, and can read, everything that it had. It gets nothing new, and what it writes from now on reaches none of your other computers. These need the new phrase below: choose Join again on each.</source>
        <translation>{name} behält alles, was dort schon war, und kann es lesen. Neues kommt dort nicht an, und was {name} ab jetzt schreibt, erreicht keinen Ihrer anderen Computer. Diese brauchen die neue Phrase unten: Wählen Sie auf jedem „Wieder beitreten“.</translation>
    </message>
    <message>
        <source>Removing the computer…</source>
        <translation>Der Computer wird entfernt…</translation>
    </message>
    <message>
        <source>{title}: {detail}</source>
        <translation>{title}: {detail}</translation>
    </message>
    <message>
        <source>Still to fill in: {missing}.</source>
        <translation>Noch auszufüllen: {missing}.</translation>
    </message>
    <message>
        <source>The prompt was not inserted: another thread is open now.</source>
        <translation>Der Prompt wurde nicht eingefügt: Jetzt ist eine andere Unterhaltung offen.</translation>
    </message>
    <message>
        <source>There is no text in the clipboard.</source>
        <translation>In der Zwischenablage ist kein Text.</translation>
    </message>
    <message>
        <source>Nothing is selected in the thread.</source>
        <translation>In der Unterhaltung ist nichts ausgewählt.</translation>
    </message>
    <message>
        <source>Message {name} — drop files here, / for prompts</source>
        <translation>Nachricht an {name} – Dateien hierher ziehen, / für Prompts</translation>
    </message>
    <message>
        <source>Fill in: {prompt_name}</source>
        <translation>Ausfüllen: {prompt_name}</translation>
    </message>
    <message>
        <source>Insert</source>
        <translation>Einfügen</translation>
    </message>
    <message>
        <source>Template, for the composer</source>
        <translation>Vorlage, für das Eingabefeld</translation>
    </message>
    <message>
        <source>System prompt</source>
        <translation>Systemprompt</translation>
    </message>
    <message>
        <source>Quick action, below an answer</source>
        <translation>Schnellaktion, unter einer Antwort</translation>
    </message>
    <message>
        <source>Assistant, with @</source>
        <translation>Assistent, mit @</translation>
    </message>
    <message>
        <source>{{date}} {{time}} {{clipboard}} {{selection}} {{project}} {{model}} {{thread}} are filled in. Any other name, such as {{topic}}, {{topic:default}} or {{tone|formal|casual}}, is asked for.</source>
        <translation>{{date}} {{time}} {{clipboard}} {{selection}} {{project}} {{model}} {{thread}} werden ausgefüllt. Nach jedem anderen Namen, etwa {{topic}}, {{topic:default}} oder {{tone|formal|casual}}, wird gefragt.</translation>
    </message>
    <message>
        <source>Choosing it below an answer, in its menu or in the search asks this about the answer. The variables of templates are filled in; where one is asked for, the text goes into the composer first.</source>
        <translation>Unter einer Antwort, in deren Menü oder in der Suche gewählt, fragt sie dies zur Antwort. Die Variablen von Vorlagen werden ausgefüllt; wo nach einer gefragt wird, kommt der Text zuerst ins Eingabefeld.</translation>
    </message>
    <message>
        <source>{{date}} {{time}} {{project}} {{model}} are filled in each time it is sent.</source>
        <translation>{{date}} {{time}} {{project}} {{model}} werden bei jedem Senden ausgefüllt.</translation>
    </message>
    <message>
        <source>The text is its instructions, sent in place of the system prompt. Choose it below the message for a whole thread, or type @ for one question.</source>
        <translation>Der Text enthält seine Anweisungen, die anstelle des Systemprompts gesendet werden. Wählen Sie ihn unter der Nachricht für eine ganze Unterhaltung, oder tippen Sie @ für eine einzelne Frage.</translation>
    </message>
    <message>
        <source>Name of the prompt</source>
        <translation>Name des Prompts</translation>
    </message>
    <message>
        <source>Kind of prompt</source>
        <translation>Art des Prompts</translation>
    </message>
    <message>
        <source>Text of the prompt</source>
        <translation>Text des Prompts</translation>
    </message>
    <message>
        <source>What the prompt says</source>
        <translation>Was der Prompt sagt</translation>
    </message>
    <message>
        <source>Prompts (*.json)</source>
        <translation>Prompts (*.json)</translation>
    </message>
    <message>
        <source>Something went wrong. Nothing was stored; the text is kept here.</source>
        <translation>Etwas ist schiefgegangen. Es wurde nichts gespeichert; der Text bleibt hier.</translation>
    </message>
    <message>
        <source>add prompt</source>
        <translation>Prompt hinzufügen</translation>
    </message>
    <message>
        <source>delete prompt</source>
        <translation>Prompt löschen</translation>
    </message>
    <message>
        <source>edit prompt</source>
        <translation>Prompt bearbeiten</translation>
    </message>
    <message>
        <source>Import prompts</source>
        <translation>Prompts importieren</translation>
    </message>
    <message>
        <source>Export prompts</source>
        <translation>Prompts exportieren</translation>
    </message>
    <message>
        <source>import prompts</source>
        <translation>Prompts importieren</translation>
    </message>
    <message numerus="yes">
        <source>Added: {count} prompts. What was there already stays as it is.</source>
        <comment>Added: {count} prompt. What was there already stays as it is.</comment>
        <translation>
            <numerusform>Hinzugefügt: {count} Prompt. Was schon da war, bleibt, wie es ist.</numerusform>
            <numerusform>Hinzugefügt: {count} Prompts. Was schon da war, bleibt, wie es ist.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Exported: {count} prompts to {name}.</source>
        <comment>Exported: {count} prompt to {name}.</comment>
        <translation>
            <numerusform>Exportiert: {count} Prompt nach {name}.</numerusform>
            <numerusform>Exportiert: {count} Prompts nach {name}.</numerusform>
        </translation>
    </message>
    <message>
        <source>All prompts</source>
        <translation>Alle Prompts</translation>
    </message>
    <message>
        <source>Templates</source>
        <translation>Vorlagen</translation>
    </message>
    <message>
        <source>System prompts</source>
        <translation>Systemprompts</translation>
    </message>
    <message>
        <source>Quick actions</source>
        <translation>Schnellaktionen</translation>
    </message>
    <message>
        <source>Assistants</source>
        <translation>Assistenten</translation>
    </message>
    <message>
        <source>Deleted: {name}</source>
        <translation>Gelöscht: {name}</translation>
    </message>
    <message>
        <source>New</source>
        <translation>Neu</translation>
    </message>
    <message>
        <source>Undo deleting the prompt</source>
        <translation>Löschen des Prompts rückgängig machen</translation>
    </message>
    <message>
        <source>Duplicate</source>
        <translation>Duplizieren</translation>
    </message>
    <message>
        <source>Revert</source>
        <translation>Verwerfen</translation>
    </message>
    <message numerus="yes">
        <source>{count} more: type part of a name.</source>
        <comment>{count} more: type part of a name.</comment>
        <translation>
            <numerusform>{count} weiterer: Tippen Sie einen Teil des Namens.</numerusform>
            <numerusform>{count} weitere: Tippen Sie einen Teil des Namens.</numerusform>
        </translation>
    </message>
    <message>
        <source>Make your last answer shorter. Keep what matters most.</source>
        <translation>Die letzte Antwort bitte kürzer. Das Wichtigste bleibt.</translation>
    </message>
    <message>
        <source>Make your last answer longer. Go into more detail.</source>
        <translation>Die letzte Antwort bitte länger, mit mehr Einzelheiten.</translation>
    </message>
    <message>
        <source>Asked below this answer. What came after it stays as another version.</source>
        <translation>Unter dieser Antwort gefragt. Was danach kam, bleibt als andere Version.</translation>
    </message>
    <message>
        <source>Quick action: {name}</source>
        <translation>Schnellaktion: {name}</translation>
    </message>
    <message>
        <source>Select something in the thread first.</source>
        <translation>Wählen Sie zuerst etwas in der Unterhaltung aus.</translation>
    </message>
    <message>
        <source>From {name}</source>
        <translation>Von {name}</translation>
    </message>
    <message>
        <source>{title}, from {name}</source>
        <translation>{title}, von {name}</translation>
    </message>
    <message>
        <source>Asking {server} for “{title}”…</source>
        <translation>{server} wird nach „{title}“ gefragt…</translation>
    </message>
    <message>
        <source>{server} wrote this text. Read it before you send it.</source>
        <translation>{server} hat diesen Text geschrieben. Lesen Sie ihn, bevor Sie ihn senden.</translation>
    </message>
    <message>
        <source>“{title}” came while you were typing.</source>
        <translation>„{title}“ kam, während Sie schrieben.</translation>
    </message>
    <message>
        <source>{label} (optional)</source>
        <translation>{label} (optional)</translation>
    </message>
    <message>
        <source>System prompt of this thread</source>
        <translation>Systemprompt dieser Unterhaltung</translation>
    </message>
    <message>
        <source>System prompt of the project</source>
        <translation>Systemprompt des Projekts</translation>
    </message>
    <message>
        <source>Sent before the messages with every question. {{date}}, {{time}}, {{project}} and {{model}} are filled in each time.</source>
        <translation>Wird mit jeder Frage vor den Nachrichten gesendet. {{date}}, {{time}}, {{project}} und {{model}} werden jedes Mal ausgefüllt.</translation>
    </message>
    <message>
        <source>System prompts of the library</source>
        <translation>Systemprompts der Bibliothek</translation>
    </message>
    <message>
        <source>From the library</source>
        <translation>Aus der Bibliothek</translation>
    </message>
    <message>
        <source>Save to the library</source>
        <translation>In die Bibliothek</translation>
    </message>
    <message>
        <source>This thread</source>
        <translation>Diese Unterhaltung</translation>
    </message>
    <message>
        <source>Project {name}</source>
        <translation>Projekt {name}</translation>
    </message>
    <message>
        <source>Sent in every thread of the project that has none of its own.</source>
        <translation>Wird in jeder Unterhaltung des Projekts gesendet, die keinen eigenen hat.</translation>
    </message>
    <message>
        <source>The project has none: in threads without their own, the default from the settings is sent.</source>
        <translation>Das Projekt hat keinen: In Unterhaltungen ohne eigenen wird der aus den Einstellungen gesendet.</translation>
    </message>
    <message>
        <source>The project has none: in threads without their own, no system prompt is sent.</source>
        <translation>Das Projekt hat keinen: In Unterhaltungen ohne eigenen wird kein Systemprompt gesendet.</translation>
    </message>
    <message>
        <source>This thread&apos;s own system prompt is sent.</source>
        <translation>Der eigene Systemprompt dieser Unterhaltung wird gesendet.</translation>
    </message>
    <message>
        <source>This thread has none: the project&apos;s is sent.</source>
        <translation>Diese Unterhaltung hat keinen: Der des Projekts wird gesendet.</translation>
    </message>
    <message>
        <source>Neither thread nor project has one: the default from the settings is sent.</source>
        <translation>Weder Unterhaltung noch Projekt hat einen: Der aus den Einstellungen wird gesendet.</translation>
    </message>
    <message>
        <source>Neither thread nor project has one: no system prompt is sent.</source>
        <translation>Weder Unterhaltung noch Projekt hat einen: Es wird kein Systemprompt gesendet.</translation>
    </message>
    <message numerus="yes">
        <source>About {count} tokens of the {window} that the model can read go to it in every request.</source>
        <comment>About {count} token of the {window} that the model can read go to it in every request.</comment>
        <translation>
            <numerusform>Er belegt in jeder Anfrage etwa {count} Token von den {window}, die das Modell lesen kann.</numerusform>
            <numerusform>Er belegt in jeder Anfrage etwa {count} Token von den {window}, die das Modell lesen kann.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens of the {window} that the model can read go to it in every request.</source>
        <comment>{count} token of the {window} that the model can read go to it in every request.</comment>
        <translation>
            <numerusform>Er belegt in jeder Anfrage {count} Token von den {window}, die das Modell lesen kann.</numerusform>
            <numerusform>Er belegt in jeder Anfrage {count} Token von den {window}, die das Modell lesen kann.</numerusform>
        </translation>
    </message>
    <message>
        <source>Shorten it, or choose a model with a larger window.</source>
        <translation>Kürzen Sie ihn, oder wählen Sie ein Modell mit größerem Fenster.</translation>
    </message>
    <message numerus="yes">
        <source>About {count} tokens: it leaves no room for a message in the {window} that the model can read.</source>
        <comment>About {count} token: it leaves no room for a message in the {window} that the model can read.</comment>
        <translation>
            <numerusform>Etwa {count} Token: Das lässt in den {window}, die das Modell lesen kann, keinen Platz für eine Nachricht.</numerusform>
            <numerusform>Etwa {count} Token: Das lässt in den {window}, die das Modell lesen kann, keinen Platz für eine Nachricht.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens: it leaves no room for a message in the {window} that the model can read.</source>
        <comment>{count} token: it leaves no room for a message in the {window} that the model can read.</comment>
        <translation>
            <numerusform>{count} Token: Das lässt in den {window}, die das Modell lesen kann, keinen Platz für eine Nachricht.</numerusform>
            <numerusform>{count} Token: Das lässt in den {window}, die das Modell lesen kann, keinen Platz für eine Nachricht.</numerusform>
        </translation>
    </message>
    <message>
        <source>An imported system prompt is sent with your question.</source>
        <translation>Ein importierter Systemprompt wird mit Ihrer Frage gesendet.</translation>
    </message>
    <message>
        <source>{name} changed the system prompt; it is sent with your question.</source>
        <translation>{name} hat den Systemprompt geändert; er wird mit Ihrer Frage gesendet.</translation>
    </message>
    <message>
        <source>A temporary chat has the instructions of its project.</source>
        <translation>Ein temporärer Chat hat die Anweisungen seines Projekts.</translation>
    </message>
    <message>
        <source>Saved to the library: {name}</source>
        <translation>In der Bibliothek gespeichert: {name}</translation>
    </message>
    <message>
        <source>change system prompt</source>
        <translation>Systemprompt ändern</translation>
    </message>
    <message>
        <source>The system prompt was changed</source>
        <translation>Der Systemprompt wurde geändert</translation>
    </message>
    <message>
        <source>{what} Agree only if you made this change yourself and trust that server.</source>
        <translation>{what} Stimmen Sie nur zu, wenn Sie das selbst geändert haben und dem Server vertrauen.</translation>
    </message>
    <message>
        <source>Your name for it</source>
        <translation>Ihr Name dafür</translation>
    </message>
    <message>
        <source>Sees images</source>
        <translation>Sieht Bilder</translation>
    </message>
    <message>
        <source>$ in / 1M</source>
        <translation>$ Eingabe / 1M</translation>
    </message>
    <message>
        <source>$ out / 1M</source>
        <translation>$ Ausgabe / 1M</translation>
    </message>
    <message>
        <source>Offered when a model is chosen.</source>
        <translation>Wird bei der Wahl eines Modells angeboten.</translation>
    </message>
    <message>
        <source>The id of the model at its server.</source>
        <translation>Die Kennung des Modells auf seinem Server.</translation>
    </message>
    <message>
        <source>The name under which it is offered.</source>
        <translation>Der Name, unter dem es angeboten wird.</translation>
    </message>
    <message>
        <source>Whether images are sent to it. A dash means unknown.</source>
        <translation>Ob ihm Bilder gesendet werden. Ein Strich heißt unbekannt.</translation>
    </message>
    <message>
        <source>How many tokens it reads at once, such as 128k.</source>
        <translation>Wie viele Token es auf einmal liest, etwa 128k.</translation>
    </message>
    <message>
        <source>US dollars for a million tokens that it reads.</source>
        <translation>US-Dollar für eine Million gelesene Token.</translation>
    </message>
    <message>
        <source>US dollars for a million tokens that it writes.</source>
        <translation>US-Dollar für eine Million geschriebene Token.</translation>
    </message>
    <message>
        <source>not known</source>
        <translation>nicht bekannt</translation>
    </message>
    <message>
        <source>yes</source>
        <translation>ja</translation>
    </message>
    <message>
        <source>no</source>
        <translation>nein</translation>
    </message>
    <message>
        <source>Change the passphrase</source>
        <translation>Passphrase ändern</translation>
    </message>
    <message>
        <source>Keys are locked</source>
        <translation>Schlüssel sind gesperrt</translation>
    </message>
    <message>
        <source>The current passphrase</source>
        <translation>Die bisherige Passphrase</translation>
    </message>
    <message>
        <source>Passphrase</source>
        <translation>Passphrase</translation>
    </message>
    <message>
        <source>The new passphrase again</source>
        <translation>Die neue Passphrase noch einmal</translation>
    </message>
    <message>
        <source>The keys of your providers are in a file that a passphrase encrypts. You enter it once after each start.</source>
        <translation>Die Schlüssel Ihrer Anbieter liegen in einer Datei, die eine Passphrase verschlüsselt. Sie geben sie nach jedem Start einmal ein.</translation>
    </message>
    <message>
        <source>Change</source>
        <translation>Ändern</translation>
    </message>
    <message>
        <source>The two new passphrases are not the same.</source>
        <translation>Die beiden neuen Passphrasen sind nicht gleich.</translation>
    </message>
    <message>
        <source>Remove {label}?</source>
        <translation>{label} entfernen?</translation>
    </message>
    <message>
        <source>Its key is forgotten. Threads keep their answers; a thread that used it asks for another model.</source>
        <translation>Der Schlüssel wird vergessen. Unterhaltungen behalten ihre Antworten; eine, die ihn verwendet hat, fragt nach einem anderen Modell.</translation>
    </message>
    <message>
        <source>{problem} Nothing was sent; see Settings, Providers.</source>
        <translation>{problem} Es wurde nichts gesendet; siehe Einstellungen, Anbieter.</translation>
    </message>
    <message>
        <source>Chat completions, which every server has</source>
        <translation>Chat Completions, die jeder Server hat</translation>
    </message>
    <message>
        <source>Responses, where the server has it</source>
        <translation>Responses, wenn der Server sie hat</translation>
    </message>
    <message>
        <source>Anthropic&apos;s messages</source>
        <translation>Messages von Anthropic</translation>
    </message>
    <message>
        <source>Address</source>
        <translation>Adresse</translation>
    </message>
    <message>
        <source>localhost:8080 or https://…</source>
        <translation>localhost:8080 oder https://…</translation>
    </message>
    <message>
        <source>Protocol</source>
        <translation>Protokoll</translation>
    </message>
    <message>
        <source>Use this provider</source>
        <translation>Diesen Anbieter verwenden</translation>
    </message>
    <message>
        <source>Set by the variable OPENAI_BASE_URL, so it cannot be changed here.</source>
        <translation>Durch die Variable OPENAI_BASE_URL festgelegt und deshalb hier nicht zu ändern.</translation>
    </message>
    <message>
        <source>Enter the address of the server.</source>
        <translation>Geben Sie die Adresse des Servers ein.</translation>
    </message>
    <message>
        <source>Enter the name of your resource in the address.</source>
        <translation>Geben Sie den Namen Ihrer Ressource in der Adresse ein.</translation>
    </message>
    <message>
        <source>Stop the test</source>
        <translation>Test anhalten</translation>
    </message>
    <message>
        <source>Test</source>
        <translation>Testen</translation>
    </message>
    <message>
        <source>API key</source>
        <translation>API-Schlüssel</translation>
    </message>
    <message>
        <source>More settings</source>
        <translation>Weitere Einstellungen</translation>
    </message>
    <message>
        <source>Remove…</source>
        <translation>Entfernen…</translation>
    </message>
    <message>
        <source>In the system keyring</source>
        <translation>Im Schlüsselbund des Systems</translation>
    </message>
    <message>
        <source>For this run only</source>
        <translation>Nur bis zum Beenden</translation>
    </message>
    <message>
        <source>In a file that a passphrase encrypts</source>
        <translation>In einer Datei, die eine Passphrase verschlüsselt</translation>
    </message>
    <message>
        <source>Replace</source>
        <translation>Ersetzen</translation>
    </message>
    <message>
        <source>Replace the key</source>
        <translation>Schlüssel ersetzen</translation>
    </message>
    <message>
        <source>Forget</source>
        <translation>Vergessen</translation>
    </message>
    <message>
        <source>Forget the key</source>
        <translation>Schlüssel vergessen</translation>
    </message>
    <message>
        <source>Use it there…</source>
        <translation>Dort verwenden…</translation>
    </message>
    <message>
        <source>Use the kept key at this server</source>
        <translation>Den gespeicherten Schlüssel bei diesem Server verwenden</translation>
    </message>
    <message>
        <source>Paste the key</source>
        <translation>Schlüssel einfügen</translation>
    </message>
    <message>
        <source>Get a key</source>
        <translation>Schlüssel besorgen</translation>
    </message>
    <message>
        <source>Where the key is kept</source>
        <translation>Wo der Schlüssel aufbewahrt wird</translation>
    </message>
    <message>
        <source>Passphrase of the file of keys</source>
        <translation>Passphrase der Schlüsseldatei</translation>
    </message>
    <message>
        <source>{place}; it has precedence over a stored key, so it cannot be changed here</source>
        <translation>{place}; sie hat Vorrang vor einem gespeicherten Schlüssel, der deshalb hier nicht geändert werden kann</translation>
    </message>
    <message>
        <source>The kept key is used at this server from now on.</source>
        <translation>Der gespeicherte Schlüssel wird ab jetzt bei diesem Server verwendet.</translation>
    </message>
    <message>
        <source>Key, if the server asks for one</source>
        <translation>Schlüssel, falls der Server einen verlangt</translation>
    </message>
    <message>
        <source>The passphrase of the file</source>
        <translation>Die Passphrase der Datei</translation>
    </message>
    <message>
        <source>It is never written in plain text.</source>
        <translation>Er wird nie im Klartext geschrieben.</translation>
    </message>
    <message>
        <source>{why}: choose where the key is kept.</source>
        <translation>{why}: Wählen Sie, wo der Schlüssel aufbewahrt wird.</translation>
    </message>
    <message>
        <source>Models of {label}</source>
        <translation>Modelle von {label}</translation>
    </message>
    <message>
        <source>Arrows move, Space ticks, F2 or typing changes a cell.</source>
        <translation>Pfeile bewegen, die Leertaste hakt ab, F2 oder Tippen ändert eine Zelle.</translation>
    </message>
    <message>
        <source>Id of a model that is missing</source>
        <translation>Kennung eines fehlenden Modells</translation>
    </message>
    <message>
        <source>Fetch the list again</source>
        <translation>Liste erneut abrufen</translation>
    </message>
    <message>
        <source>The team does not see it</source>
        <translation>Das Team sieht es nicht</translation>
    </message>
    <message>
        <source>The team sees its name</source>
        <translation>Das Team sieht den Namen</translation>
    </message>
    <message>
        <source>The team gets its text</source>
        <translation>Das Team bekommt den Text</translation>
    </message>
    <message>
        <source>Files of {project}</source>
        <translation>Dateien von {project}</translation>
    </message>
    <message>
        <source>ChatDesk reads these on this computer, keeps them current, and sends the passages that fit a question with it. The answer names them.</source>
        <translation>ChatDesk liest sie auf diesem Computer, hält sie aktuell und sendet mit einer Frage die Stellen, die dazu passen. Die Antwort nennt sie.</translation>
    </message>
    <message>
        <source>Folders, files and pages</source>
        <translation>Ordner, Dateien und Seiten</translation>
    </message>
    <message>
        <source>Folder, file or address to add</source>
        <translation>Ordner, Datei oder Adresse zum Hinzufügen</translation>
    </message>
    <message>
        <source>Path of a folder or file, or https://…</source>
        <translation>Pfad eines Ordners oder einer Datei oder https://…</translation>
    </message>
    <message>
        <source>Folder…</source>
        <translation>Ordner…</translation>
    </message>
    <message>
        <source>Add a folder</source>
        <translation>Ordner hinzufügen</translation>
    </message>
    <message>
        <source>File…</source>
        <translation>Datei…</translation>
    </message>
    <message>
        <source>Add a file</source>
        <translation>Datei hinzufügen</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>Hinzufügen</translation>
    </message>
    <message>
        <source>Last here</source>
        <translation>Zuletzt hier</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>Ausstehend</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <source>Computers</source>
        <translation>Computer</translation>
    </message>
    <message>
        <source>Remove this computer…</source>
        <translation>Diesen Computer entfernen…</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Pausieren</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Fortsetzen</translation>
    </message>
    <message>
        <source>Have the same chats on all computers of yours. A folder that something carries between them is enough: Syncthing, Nextcloud, Dropbox, a network drive or a USB stick. Everything is encrypted before it is written there.</source>
        <translation>Haben Sie dieselben Chats auf allen Ihren Computern. Es genügt ein Ordner, der zwischen ihnen übertragen wird: Syncthing, Nextcloud, Dropbox, ein Netzlaufwerk oder ein USB-Stick. Alles wird verschlüsselt, bevor es dort geschrieben wird.</translation>
    </message>
    <message>
        <source>Start…</source>
        <translation>Beginnen…</translation>
    </message>
    <message>
        <source>Join…</source>
        <translation>Beitreten…</translation>
    </message>
    <message>
        <source>The first computer</source>
        <translation>Der erste Computer</translation>
    </message>
    <message>
        <source>Choose an empty folder. You get a recovery phrase, which your other computers need.</source>
        <translation>Wählen Sie einen leeren Ordner. Sie bekommen eine Wiederherstellungsphrase, die Ihre anderen Computer brauchen.</translation>
    </message>
    <message>
        <source>A further computer, or a new one</source>
        <translation>Ein weiterer Computer oder ein neuer</translation>
    </message>
    <message>
        <source>Choose the same folder and give the phrase. You see whose it is before anything is merged.</source>
        <translation>Wählen Sie denselben Ordner und geben Sie die Phrase ein. Sie sehen, wem er gehört, bevor etwas zusammengeführt wird.</translation>
    </message>
    <message>
        <source>Join again…</source>
        <translation>Wieder beitreten…</translation>
    </message>
    <message>
        <source>Forget the folder…</source>
        <translation>Ordner vergessen…</translation>
    </message>
    <message>
        <source>older than before</source>
        <translation>älter als vorher</translation>
    </message>
    <message>
        <source>older files</source>
        <translation>ältere Dateien</translation>
    </message>
    <message>
        <source>Read again</source>
        <translation>Erneut lesen</translation>
    </message>
    <message>
        <source>Left out…</source>
        <translation>Ausnahmen…</translation>
    </message>
    <message>
        <source>Choose what of the folder is left out</source>
        <translation>Wählen, was vom Ordner ausgelassen wird</translation>
    </message>
    <message>
        <source>Secrets…</source>
        <translation>Geheimnisse…</translation>
    </message>
    <message>
        <source>Choose which files that look like secrets are read</source>
        <translation>Wählen, welche Dateien gelesen werden, die nach Geheimnissen aussehen</translation>
    </message>
    <message>
        <source>What the team gets</source>
        <translation>Was das Team bekommt</translation>
    </message>
    <message>
        <source>With the text, members&apos; computers get all passages. Where a member chose a provider&apos;s model for the vectors, it gets them, too.</source>
        <translation>Mit dem Text bekommen die Computer der Mitglieder alle Stellen. Wenn ein Mitglied für die Vektoren das Modell eines Anbieters gewählt hat, bekommt auch dieser sie.</translation>
    </message>
    <message>
        <source>Change…</source>
        <translation>Ändern…</translation>
    </message>
    <message>
        <source>Change what makes the vectors</source>
        <translation>Ändern, womit die Vektoren berechnet werden</translation>
    </message>
    <message>
        <source>Who gets them…</source>
        <translation>Wer sie bekommt…</translation>
    </message>
    <message>
        <source>Choose which providers get the files</source>
        <translation>Wählen, welche Anbieter die Dateien bekommen</translation>
    </message>
    <message>
        <source>Try a question</source>
        <translation>Frage ausprobieren</translation>
    </message>
    <message>
        <source>Try a question: what would be found?</source>
        <translation>Frage ausprobieren: Was würde gefunden?</translation>
    </message>
    <message>
        <source>What would be found</source>
        <translation>Was gefunden würde</translation>
    </message>
    <message>
        <source>Kept questions…</source>
        <translation>Gespeicherte Fragen…</translation>
    </message>
    <message>
        <source>Keep questions and run them again</source>
        <translation>Fragen speichern und erneut ausführen</translation>
    </message>
    <message numerus="yes">
        <source>and {count} more</source>
        <comment>and {count} more</comment>
        <translation>
            <numerusform>und {count} weitere</numerusform>
            <numerusform>und {count} weitere</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} passages found</source>
        <comment>{count} passage found</comment>
        <translation>
            <numerusform>{count} Stelle gefunden</numerusform>
            <numerusform>{count} Stellen gefunden</numerusform>
        </translation>
    </message>
    <message>
        <source>Go on reading</source>
        <translation>Weiterlesen</translation>
    </message>
    <message>
        <source>shared by the team</source>
        <translation>vom Team geteilt</translation>
    </message>
    <message>
        <source>being listed</source>
        <translation>wird aufgelistet</translation>
    </message>
    <message>
        <source>last read {when}</source>
        <translation>zuletzt gelesen {when}</translation>
    </message>
    <message>
        <source>Add the model</source>
        <translation>Modell hinzufügen</translation>
    </message>
    <message>
        <source>What you type comes before what the server says. Prices are used for costs and limits.</source>
        <translation>Was Sie eingeben, geht den Angaben des Servers vor. Preise werden für Kosten und Limits verwendet.</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>Wie das System</translation>
    </message>
    <message>
        <source>Connection</source>
        <translation>Verbindung</translation>
    </message>
    <message>
        <source>First word</source>
        <translation>Erstes Wort</translation>
    </message>
    <message>
        <source>Silence</source>
        <translation>Stille</translation>
    </message>
    <message>
        <source>Model for new threads</source>
        <translation>Modell für neue Unterhaltungen</translation>
    </message>
    <message>
        <source>Only those of the system</source>
        <translation>Nur die des Systems</translation>
    </message>
    <message>
        <source>The usual time</source>
        <translation>Die übliche Zeit</translation>
    </message>
    <message>
        <source>Organisation</source>
        <translation>Organisation</translation>
    </message>
    <message>
        <source>Proxy</source>
        <translation>Proxy</translation>
    </message>
    <message>
        <source>As the system, none, or an address such as http://proxy.example:3128</source>
        <translation>Wie das System, keiner, oder eine Adresse wie http://proxy.example:3128</translation>
    </message>
    <message>
        <source>File of certificates</source>
        <translation>Zertifikatsdatei</translation>
    </message>
    <message>
        <source>Choose a file of certificates</source>
        <translation>Zertifikatsdatei wählen</translation>
    </message>
    <message>
        <source>Headers, one a line as Name: value</source>
        <translation>Header, je Zeile einer als Name: Wert</translation>
    </message>
    <message>
        <source>{what}, seconds</source>
        <translation>{what}, Sekunden</translation>
    </message>
    <message>
        <source>Certificates to trust in addition to the system&apos;s</source>
        <translation>Zertifikate, denen zusätzlich zu denen des Systems vertraut wird</translation>
    </message>
    <message>
        <source>Headers; values that are keys are stored with your keys</source>
        <translation>Header; Werte, die Schlüssel sind, liegen bei Ihren Schlüsseln</translation>
    </message>
    <message>
        <source>Seconds to wait for</source>
        <translation>Wartezeit in Sekunden</translation>
    </message>
    <message>
        <source>Certificates (*.pem *.crt *.cer);;All files (*)</source>
        <translation>Zertifikate (*.pem *.crt *.cer);;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>{what} must be a number of seconds.</source>
        <translation>{what} muss eine Zahl von Sekunden sein.</translation>
    </message>
    <message>
        <source>Stopped</source>
        <translation>Angehalten</translation>
    </message>
    <message>
        <source>The picture that is sent with the question</source>
        <translation>Das Bild, das mit der Frage gesendet wird</translation>
    </message>
    <message>
        <source>Clipboard</source>
        <translation>Zwischenablage</translation>
    </message>
    <message>
        <source>Selection</source>
        <translation>Auswahl</translation>
    </message>
    <message>
        <source>Screenshot</source>
        <translation>Bildschirmfoto</translation>
    </message>
    <message>
        <source>There is no text on the clipboard.</source>
        <translation>In der Zwischenablage ist kein Text.</translation>
    </message>
    <message>
        <source>No text is selected in another window.</source>
        <translation>In einem anderen Fenster ist kein Text ausgewählt.</translation>
    </message>
    <message numerus="yes">
        <source>{name}, only the first {count} characters</source>
        <comment>{name}, only the first {count} character</comment>
        <translation>
            <numerusform>{name}, nur das erste {count} Zeichen</numerusform>
            <numerusform>{name}, nur die ersten {count} Zeichen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}, {count} characters</source>
        <comment>{name}, {count} character</comment>
        <translation>
            <numerusform>{name}, {count} Zeichen</numerusform>
            <numerusform>{name}, {count} Zeichen</numerusform>
        </translation>
    </message>
    <message>
        <source>Ask anything</source>
        <translation>Fragen Sie etwas</translation>
    </message>
    <message>
        <source>Add the clipboard</source>
        <translation>Zwischenablage hinzufügen</translation>
    </message>
    <message>
        <source>Add the selection</source>
        <translation>Auswahl hinzufügen</translation>
    </message>
    <message>
        <source>Add a screenshot</source>
        <translation>Bildschirmfoto hinzufügen</translation>
    </message>
    <message>
        <source>New</source>
        <comment>question</comment>
        <translation>Neu</translation>
    </message>
    <message>
        <source>Open in ChatDesk</source>
        <translation>In ChatDesk öffnen</translation>
    </message>
    <message>
        <source>{words}: leave it out</source>
        <translation>{words}: weglassen</translation>
    </message>
    <message>
        <source>Choose a part of the screen</source>
        <translation>Einen Teil des Bildschirms wählen</translation>
    </message>
    <message>
        <source>Drag over a part, or press Enter for what is framed. Arrows move the frame, Shift+arrows change its size, Alt makes small steps, Esc leaves.</source>
        <translation>Ziehen Sie über einen Teil, oder drücken Sie Enter für das Eingerahmte. Pfeile bewegen den Rahmen, Umschalt+Pfeile ändern seine Größe, Alt macht kleine Schritte, Esc bricht ab.</translation>
    </message>
    <message>
        <source>This desktop lets programs take no picture of the screen.</source>
        <translation>Dieser Desktop lässt Programme keine Bildschirmfotos machen.</translation>
    </message>
    <message>
        <source>Nothing was taken.</source>
        <translation>Es wurde nichts aufgenommen.</translation>
    </message>
    <message>
        <source>Take one with the desktop&apos;s own program, and paste it into a message in the large window.</source>
        <translation>Machen Sie eines mit dem Programm des Desktops, und fügen Sie es im großen Fenster in eine Nachricht ein.</translation>
    </message>
    <message>
        <source>The desktop gave no file with the picture.</source>
        <translation>Der Desktop hat keine Datei mit dem Bild geliefert.</translation>
    </message>
    <message>
        <source>The picture of the screen is too large.</source>
        <translation>Das Bildschirmfoto ist zu groß.</translation>
    </message>
    <message>
        <source>The desktop&apos;s picture of the screen cannot be read.</source>
        <translation>Das Bildschirmfoto des Desktops kann nicht gelesen werden.</translation>
    </message>
    <message>
        <source>Making a backup…</source>
        <translation>Sicherung wird erstellt…</translation>
    </message>
    <message>
        <source>Checking… This reads everything and can take a while.</source>
        <translation>Wird geprüft… Das liest alles und kann eine Weile dauern.</translation>
    </message>
    <message>
        <source>Checking and repairing…</source>
        <translation>Wird geprüft und repariert…</translation>
    </message>
    <message>
        <source>Writing the zip…</source>
        <translation>ZIP wird geschrieben…</translation>
    </message>
    <message>
        <source>Checking the database</source>
        <translation>Datenbank wird geprüft</translation>
    </message>
    <message>
        <source>Repairing the database</source>
        <translation>Datenbank wird repariert</translation>
    </message>
    <message>
        <source>Another window has this data directory open.</source>
        <translation>Ein anderes Fenster hat dieses Datenverzeichnis geöffnet.</translation>
    </message>
    <message>
        <source>The backup was made: {name}</source>
        <translation>Sicherung erstellt: {name}</translation>
    </message>
    <message>
        <source>Nothing is wrong.</source>
        <translation>Alles ist in Ordnung.</translation>
    </message>
    <message>
        <source>Save everything as a zip</source>
        <translation>Alles als ZIP speichern</translation>
    </message>
    <message>
        <source>Everything was saved to {name}.</source>
        <translation>Alles wurde in {name} gespeichert.</translation>
    </message>
    <message>
        <source>and {lost} more</source>
        <translation>und {lost} weitere</translation>
    </message>
    <message numerus="yes">
        <source>All but {count} attachments were saved to {name}:</source>
        <comment>All but {count} attachment was saved to {name}:</comment>
        <translation>
            <numerusform>Alles außer {count} Anhang wurde in {name} gespeichert:</numerusform>
            <numerusform>Alles außer {count} Anhängen wurde in {name} gespeichert:</numerusform>
        </translation>
    </message>
    <message>
        <source>Import and export</source>
        <translation>Importieren und exportieren</translation>
    </message>
    <message>
        <source>Take over chats from ChatGPT, Claude and others, or write yours as Markdown, web pages, PDF or JSON.</source>
        <translation>Übernehmen Sie Chats von ChatGPT, Claude und anderen, oder speichern Sie Ihre eigenen als Markdown, Webseiten, PDF oder JSON.</translation>
    </message>
    <message>
        <source>Back up and restore</source>
        <translation>Sichern und wiederherstellen</translation>
    </message>
    <message>
        <source>ChatDesk makes a backup each day and before each upgrade, and checks each one.</source>
        <translation>ChatDesk erstellt jeden Tag und vor jeder Aktualisierung eine Sicherung und prüft jede.</translation>
    </message>
    <message>
        <source>Save everything as a zip…</source>
        <translation>Alles als ZIP speichern…</translation>
    </message>
    <message>
        <source>Show folder</source>
        <translation>Ordner zeigen</translation>
    </message>
    <message>
        <source>Restore…</source>
        <translation>Wiederherstellen…</translation>
    </message>
    <message>
        <source>Check reads everything that is stored. Repair makes a copy first and says what it changed.</source>
        <translation>„Prüfen“ liest alles, was gespeichert ist. „Reparieren“ macht zuerst eine Kopie und meldet, was geändert wurde.</translation>
    </message>
    <message>
        <source>Check</source>
        <translation>Prüfen</translation>
    </message>
    <message>
        <source>Repair</source>
        <translation>Reparieren</translation>
    </message>
    <message>
        <source>Something went wrong?</source>
        <translation>Ist etwas schiefgegangen?</translation>
    </message>
    <message>
        <source>Collects the log, the settings and failure reports, without your messages and keys.</source>
        <translation>Sammelt Protokoll, Einstellungen und Fehlerberichte, ohne Ihre Nachrichten und Schlüssel.</translation>
    </message>
    <message>
        <source>Backups are in {folder}</source>
        <translation>Sicherungen liegen in {folder}</translation>
    </message>
    <message>
        <source>Result</source>
        <translation>Ergebnis</translation>
    </message>
    <message>
        <source>… and {lines} more; &apos;chatdesk doctor --json&apos; lists them.</source>
        <translation>… und {lines} weitere; &apos;chatdesk doctor --json&apos; listet sie auf.</translation>
    </message>
    <message>
        <source>{label}, its own choice</source>
        <translation>{label}, eigene Wahl</translation>
    </message>
    <message>
        <source>General</source>
        <translation>Allgemein</translation>
    </message>
    <message>
        <source>Providers</source>
        <translation>Anbieter</translation>
    </message>
    <message>
        <source>Usage and limits</source>
        <translation>Nutzung und Limits</translation>
    </message>
    <message>
        <source>Accessibility</source>
        <translation>Bedienungshilfen</translation>
    </message>
    <message>
        <source>Team sync</source>
        <translation>Teamabgleich</translation>
    </message>
    <message>
        <source>Local service</source>
        <translation>Lokaler Dienst</translation>
    </message>
    <message>
        <source>Data and backup</source>
        <translation>Daten und Sicherung</translation>
    </message>
    <message>
        <source>Shortcuts</source>
        <translation>Tastenkürzel</translation>
    </message>
    <message>
        <source>Enter the passphrase…</source>
        <translation>Passphrase eingeben…</translation>
    </message>
    <message>
        <source>Change the passphrase…</source>
        <translation>Passphrase ändern…</translation>
    </message>
    <message>
        <source>Add provider</source>
        <translation>Anbieter hinzufügen</translation>
    </message>
    <message>
        <source>Look for servers on this computer</source>
        <translation>Nach Servern auf diesem Computer suchen</translation>
    </message>
    <message>
        <source>Only this computer is asked, at the usual ports, and no key is sent.</source>
        <translation>Nur dieser Computer wird gefragt, an den üblichen Ports, und es wird kein Schlüssel gesendet.</translation>
    </message>
    <message>
        <source>Always available</source>
        <translation>Immer verfügbar</translation>
    </message>
    <message>
        <source>Needs no network, for trying things out</source>
        <translation>Braucht kein Netz, zum Ausprobieren</translation>
    </message>
    <message>
        <source>Your keys are in a locked file. Enter its passphrase to use them.</source>
        <translation>Ihre Schlüssel liegen in einer gesperrten Datei. Geben Sie die Passphrase ein, um sie zu verwenden.</translation>
    </message>
    <message>
        <source>Switched off</source>
        <translation>Ausgeschaltet</translation>
    </message>
    <message>
        <source>Test {label}</source>
        <translation>{label} testen</translation>
    </message>
    <message>
        <source>Edit {label}</source>
        <translation>{label} bearbeiten</translation>
    </message>
    <message>
        <source>Search the memories</source>
        <translation>Erinnerungen durchsuchen</translation>
    </message>
    <message>
        <source>Memories to show</source>
        <translation>Angezeigte Erinnerungen</translation>
    </message>
    <message>
        <source>Add…</source>
        <translation>Hinzufügen…</translation>
    </message>
    <message>
        <source>Edit…</source>
        <translation>Bearbeiten…</translation>
    </message>
    <message>
        <source>Show its message</source>
        <translation>Nachricht zeigen</translation>
    </message>
    <message>
        <source>Delete what is chosen</source>
        <translation>Ausgewähltes löschen</translation>
    </message>
    <message>
        <source>Providers that get memories. None gets them unless you tick it.</source>
        <translation>Anbieter, die Erinnerungen bekommen. Keiner bekommt sie, den Sie nicht anhaken.</translation>
    </message>
    <message>
        <source>Providers that get memories</source>
        <translation>Anbieter, die Erinnerungen bekommen</translation>
    </message>
    <message>
        <source>What you confirm is kept, and sent with your questions to the providers that you tick below.</source>
        <translation>Was Sie bestätigen, wird behalten und mit Ihren Fragen an die Anbieter gesendet, die Sie unten anhaken.</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent. What is here stays until you delete it.</source>
        <translation>Das Gedächtnis ist aus: Es wird nichts behalten oder gesendet. Was hier steht, bleibt, bis Sie es löschen.</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent until you turn it on. What is here can be deleted.</source>
        <translation>Das Gedächtnis ist aus: Es wird nichts behalten oder gesendet, bis Sie es einschalten. Was hier steht, kann gelöscht werden.</translation>
    </message>
    <message>
        <source>All memories</source>
        <translation>Alle Erinnerungen</translation>
    </message>
    <message>
        <source>{name} (at a new address: tick it again)</source>
        <translation>{name} (mit neuer Adresse: bitte erneut anhaken)</translation>
    </message>
    <message>
        <source>{name} — {address}</source>
        <translation>{name} – {address}</translation>
    </message>
    <message>
        <source>Undo the deletion</source>
        <translation>Löschen rückgängig machen</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories</source>
        <comment>{count} memory</comment>
        <translation>
            <numerusform>{count} Erinnerung</numerusform>
            <numerusform>{count} Erinnerungen</numerusform>
        </translation>
    </message>
    <message>
        <source>No memory matches.</source>
        <translation>Keine Erinnerung passt.</translation>
    </message>
    <message>
        <source>Nothing is remembered yet.</source>
        <translation>Noch ist nichts gemerkt.</translation>
    </message>
    <message>
        <source>Export the memories</source>
        <translation>Erinnerungen exportieren</translation>
    </message>
    <message>
        <source>JSON files (*.json)</source>
        <translation>JSON-Dateien (*.json)</translation>
    </message>
    <message>
        <source>Models…</source>
        <translation>Modelle…</translation>
    </message>
    <message>
        <source>Enter a key</source>
        <translation>Schlüssel eingeben</translation>
    </message>
    <message>
        <source>Switch off</source>
        <translation>Ausschalten</translation>
    </message>
    <message>
        <source>Switch on</source>
        <translation>Einschalten</translation>
    </message>
    <message numerus="yes">
        <source>{count} models of {label}</source>
        <comment>{count} model of {label}</comment>
        <translation>
            <numerusform>{count} Modell von {label}</numerusform>
            <numerusform>{count} Modelle von {label}</numerusform>
        </translation>
    </message>
    <message>
        <source>Fetched {fetched}</source>
        <translation>Abgerufen {fetched}</translation>
    </message>
    <message>
        <source>Looking…</source>
        <translation>Wird gesucht…</translation>
    </message>
    <message>
        <source>Not tested</source>
        <translation>Nicht getestet</translation>
    </message>
    <message>
        <source>Result of the test</source>
        <translation>Ergebnis des Tests</translation>
    </message>
    <message>
        <source>Everything works.</source>
        <translation>Alles funktioniert.</translation>
    </message>
    <message>
        <source>Encryption</source>
        <translation>Verschlüsselung</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>Schlüssel</translation>
    </message>
    <message>
        <source>Streaming</source>
        <translation>Streaming</translation>
    </message>
    <message>
        <source>The key is not used before you agree</source>
        <translation>Der Schlüssel wird erst nach Ihrer Zustimmung verwendet</translation>
    </message>
    <message>
        <source>Key from the variable {variable}</source>
        <translation>Schlüssel aus der Variablen {variable}</translation>
    </message>
    <message>
        <source>API key in the system keyring</source>
        <translation>API-Schlüssel im Schlüsselbund des Systems</translation>
    </message>
    <message>
        <source>API key in the encrypted file</source>
        <translation>API-Schlüssel in der verschlüsselten Datei</translation>
    </message>
    <message>
        <source>API key for this run only</source>
        <translation>API-Schlüssel nur bis zum Beenden</translation>
    </message>
    <message>
        <source>No key yet</source>
        <translation>Noch kein Schlüssel</translation>
    </message>
    <message>
        <source>On this computer</source>
        <translation>Auf diesem Computer</translation>
    </message>
    <message>
        <source>Any OpenAI-compatible address</source>
        <translation>Jede OpenAI-kompatible Adresse</translation>
    </message>
    <message>
        <source>No key needed</source>
        <translation>Kein Schlüssel nötig</translation>
    </message>
    <message>
        <source>{code}: the key was refused</source>
        <translation>{code}: Der Schlüssel wurde abgelehnt</translation>
    </message>
    <message numerus="yes">
        <source>Works, {count} models</source>
        <comment>Works, {count} model</comment>
        <translation>
            <numerusform>Funktioniert, {count} Modell</numerusform>
            <numerusform>Funktioniert, {count} Modelle</numerusform>
        </translation>
    </message>
    <message>
        <source>ChatDesk first backs up what is there now. Then it closes, restores the backup you chose, and opens again.</source>
        <translation>ChatDesk sichert zuerst, was jetzt da ist. Dann schließt es sich, stellt die gewählte Sicherung wieder her und öffnet sich erneut.</translation>
    </message>
    <message>
        <source>Restore a backup</source>
        <translation>Sicherung wiederherstellen</translation>
    </message>
    <message>
        <source>Backups, the newest first</source>
        <translation>Sicherungen, die neueste zuerst</translation>
    </message>
    <message>
        <source>Other file…</source>
        <translation>Andere Datei…</translation>
    </message>
    <message>
        <source>There is no backup yet.</source>
        <translation>Es gibt noch keine Sicherung.</translation>
    </message>
    <message>
        <source>Looking into it…</source>
        <translation>Wird untersucht…</translation>
    </message>
    <message>
        <source>Unpacking and checking the backup…</source>
        <translation>Die Sicherung wird entpackt und geprüft…</translation>
    </message>
    <message>
        <source>Choose a backup</source>
        <translation>Sicherung wählen</translation>
    </message>
    <message>
        <source>Backups (*.zip *.gz *.db);;All files (*)</source>
        <translation>Sicherungen (*.zip *.gz *.db);;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>before a restore</source>
        <translation>vor einer Wiederherstellung</translation>
    </message>
    <message>
        <source>before a repair</source>
        <translation>vor einer Reparatur</translation>
    </message>
    <message>
        <source>before an upgrade</source>
        <translation>vor einer Aktualisierung</translation>
    </message>
    <message>
        <source>daily</source>
        <translation>täglich</translation>
    </message>
    <message>
        <source>Newest message: {newest}</source>
        <translation>Neueste Nachricht: {newest}</translation>
    </message>
    <message>
        <source>Newest threads:</source>
        <translation>Neueste Unterhaltungen:</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>Suchen</translation>
    </message>
    <message>
        <source>Not saved: {why}.</source>
        <translation>Nicht gespeichert: {why}.</translation>
    </message>
    <message>
        <source>Pages of the settings</source>
        <translation>Seiten der Einstellungen</translation>
    </message>
    <message>
        <source>The environment variable {env} decides this.</source>
        <translation>Die Umgebungsvariable {env} bestimmt das.</translation>
    </message>
    <message>
        <source>{hint} It is tried out until {day}, and may change.</source>
        <translation>{hint} Wird bis {day} erprobt und kann sich ändern.</translation>
    </message>
    <message>
        <source>Add a provider</source>
        <translation>Anbieter hinzufügen</translation>
    </message>
    <message>
        <source>API key server model connect</source>
        <translation>API-Schlüssel Server Modell verbinden</translation>
    </message>
    <message>
        <source>keys</source>
        <translation>Tasten</translation>
    </message>
    <message>
        <source>global shortcut hotkey quick window</source>
        <translation>globales Tastenkürzel Hotkey Schnellfenster</translation>
    </message>
    <message>
        <source>workspace join share invite</source>
        <translation>Arbeitsbereich beitreten teilen einladen</translation>
    </message>
    <message>
        <source>sync folder recovery phrase laptop</source>
        <translation>Abgleich Ordner Wiederherstellungsphrase Laptop</translation>
    </message>
    <message>
        <source>cost money tokens price spend</source>
        <translation>Kosten Geld Token Preis ausgeben</translation>
    </message>
    <message>
        <source>Found settings</source>
        <translation>Gefundene Einstellungen</translation>
    </message>
    <message>
        <source>Nothing found</source>
        <translation>Nichts gefunden</translation>
    </message>
    <message numerus="yes">
        <source>days</source>
        <comment>day</comment>
        <translation>
            <numerusform>Tag</numerusform>
            <numerusform>Tagen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>weeks</source>
        <comment>week</comment>
        <translation>
            <numerusform>Woche</numerusform>
            <numerusform>Wochen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>minutes</source>
        <comment>minute</comment>
        <translation>
            <numerusform>Minute</numerusform>
            <numerusform>Minuten</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>seconds</source>
        <comment>second</comment>
        <translation>
            <numerusform>Sekunde</numerusform>
            <numerusform>Sekunden</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>tokens</source>
        <comment>token</comment>
        <translation>
            <numerusform>Token</numerusform>
            <numerusform>Token</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>files</source>
        <comment>file</comment>
        <translation>
            <numerusform>Datei</numerusform>
            <numerusform>Dateien</numerusform>
        </translation>
    </message>
    <message>
        <source>Drafts, pins, the archive, what you marked for the context, your keys and your prompts stay on this computer. So do the project&apos;s files: the team sees only the names of the folders and files that you added, or their text if you choose so in Files.</source>
        <translation>Entwürfe, Anheftungen, das Archiv, Ihre Markierungen für den Kontext, Ihre Schlüssel und Ihre Prompts bleiben auf diesem Computer. Ebenso die Dateien des Projekts: Das Team sieht nur die Namen der Ordner und Dateien, die Sie hinzugefügt haben, oder auch ihren Text, wenn Sie das unter „Dateien“ wählen.</translation>
    </message>
    <message>
        <source>Share “{name}”</source>
        <translation>„{name}“ teilen</translation>
    </message>
    <message>
        <source>Counting…</source>
        <translation>Wird gezählt…</translation>
    </message>
    <message>
        <source>Workspace that the project is shared with</source>
        <translation>Arbeitsbereich, mit dem das Projekt geteilt wird</translation>
    </message>
    <message>
        <source>The project will be shared with “{name}”.</source>
        <translation>Das Projekt wird mit „{name}“ geteilt.</translation>
    </message>
    <message>
        <source>Choose the workspace that the project is shared with.</source>
        <translation>Wählen Sie den Arbeitsbereich, mit dem das Projekt geteilt wird.</translation>
    </message>
    <message>
        <source>With the workspace</source>
        <translation>Mit dem Arbeitsbereich</translation>
    </message>
    <message>
        <source>Share</source>
        <translation>Teilen</translation>
    </message>
    <message>
        <source>New threads go into “{name}” unless you choose another project. Once it is shared, others see them. To keep it to yourself, make a new project for what you share.</source>
        <translation>Neue Unterhaltungen kommen in „{name}“, wenn Sie kein anderes Projekt wählen. Ist es geteilt, sehen andere sie. Soll es für Sie allein bleiben, legen Sie für das Geteilte ein neues Projekt an.</translation>
    </message>
    <message>
        <source>Who will see it</source>
        <translation>Wer es sehen wird</translation>
    </message>
    <message>
        <source>At first only you, on all your computers. Then those whom you give a role, here or by inviting them.</source>
        <translation>Zuerst nur Sie, auf allen Ihren Computern. Dann die, denen Sie eine Rolle geben, hier oder durch eine Einladung.</translation>
    </message>
    <message>
        <source>What never leaves</source>
        <translation>Was nie nach außen geht</translation>
    </message>
    <message>
        <source>What cannot be taken back</source>
        <translation>Was sich nicht zurücknehmen lässt</translation>
    </message>
    <message>
        <source>Good to know</source>
        <translation>Gut zu wissen</translation>
    </message>
    <message>
        <source>{who} Threads of a shared project cannot be moved out of it, only copied.</source>
        <translation>{who} Unterhaltungen eines geteilten Projekts lassen sich nicht herausnehmen, nur kopieren.</translation>
    </message>
    <message>
        <source>Sharing the project…</source>
        <translation>Das Projekt wird geteilt…</translation>
    </message>
    <message>
        <source>Sharing of “{name}”</source>
        <translation>Teilen von „{name}“</translation>
    </message>
    <message>
        <source>Shared with “{workspace}”. Your role is {role}: {hint}.</source>
        <translation>Geteilt mit „{workspace}“. Ihre Rolle ist {role}: {hint}.</translation>
    </message>
    <message>
        <source>Who sees it</source>
        <translation>Wer es sieht</translation>
    </message>
    <message>
        <source>How long messages are kept</source>
        <translation>Wie lange Nachrichten bleiben</translation>
    </message>
    <message>
        <source>Stop sharing…</source>
        <translation>Teilen beenden…</translation>
    </message>
    <message>
        <source>Leave project…</source>
        <translation>Projekt verlassen…</translation>
    </message>
    <message>
        <source>Stop and erase…</source>
        <translation>Beenden und löschen…</translation>
    </message>
    <message>
        <source>Invite…</source>
        <translation>Einladen…</translation>
    </message>
    <message>
        <source>Role of {name}</source>
        <translation>Rolle von {name}</translation>
    </message>
    <message>
        <source>Member</source>
        <translation>Mitglied</translation>
    </message>
    <message>
        <source>A change takes effect at once. People who lose access keep the copy that is on their computer already.</source>
        <translation>Eine Änderung gilt sofort. Wer den Zugang verliert, behält die Kopie, die schon auf dem eigenen Computer ist.</translation>
    </message>
    <message>
        <source>Setting how long messages are kept…</source>
        <translation>Es wird eingestellt, wie lange Nachrichten bleiben…</translation>
    </message>
    <message>
        <source>Changing the role…</source>
        <translation>Die Rolle wird geändert…</translation>
    </message>
    <message>
        <source>Older messages are being sent.</source>
        <translation>Ältere Nachrichten werden gesendet.</translation>
    </message>
    <message>
        <source>Everything in it has reached the team.</source>
        <translation>Alles darin hat das Team erreicht.</translation>
    </message>
    <message>
        <source>Sharing ends for everybody at once.</source>
        <translation>Das Teilen endet sofort für alle.</translation>
    </message>
    <message numerus="yes">
        <source>{count} other members can no longer see what is new.</source>
        <comment>{count} other member can no longer see what is new.</comment>
        <translation>
            <numerusform>{count} anderes Mitglied sieht Neues nicht mehr.</numerusform>
            <numerusform>{count} andere Mitglieder sehen Neues nicht mehr.</numerusform>
        </translation>
    </message>
    <message>
        <source>Each computer that has it keeps its copy as a private project, this one too; nothing is deleted here.</source>
        <translation>Jeder Computer, der es hat, behält seine Kopie als privates Projekt, auch dieser; hier wird nichts gelöscht.</translation>
    </message>
    <message>
        <source>Stop sharing “{name}”?</source>
        <translation>Teilen von „{name}“ beenden?</translation>
    </message>
    <message>
        <source>Stop sharing</source>
        <translation>Teilen beenden</translation>
    </message>
    <message>
        <source>You and the others no longer get each other&apos;s messages. The copy on this computer stays, as a private project. To come back, somebody who manages it has to give you a role again.</source>
        <translation>Sie und die anderen bekommen voneinander keine Nachrichten mehr. Die Kopie auf diesem Computer bleibt als privates Projekt. Um zurückzukommen, muss Ihnen jemand, der es verwaltet, wieder eine Rolle geben.</translation>
    </message>
    <message>
        <source>Leave “{name}”?</source>
        <translation>„{name}“ verlassen?</translation>
    </message>
    <message>
        <source>Leave</source>
        <translation>Verlassen</translation>
    </message>
    <message>
        <source>Everything in it is removed: from the server at once, and from every computer when it syncs next, this one too.</source>
        <translation>Alles darin wird entfernt: vom Server sofort und von jedem Computer beim nächsten Abgleich, auch von diesem.</translation>
    </message>
    <message numerus="yes">
        <source>{count} other members lose it, too.</source>
        <comment>{count} other member loses it, too.</comment>
        <translation>
            <numerusform>{count} anderes Mitglied verliert es auch.</numerusform>
            <numerusform>{count} andere Mitglieder verlieren es auch.</numerusform>
        </translation>
    </message>
    <message>
        <source>What somebody wrote and did not send yet stays with them. This cannot be undone. Backups keep it until they are replaced, and so does anyone who copied or exported it, or left with a private copy.</source>
        <translation>Was jemand geschrieben und noch nicht gesendet hat, bleibt bei dieser Person. Das lässt sich nicht rückgängig machen. Sicherungen behalten es, bis sie ersetzt werden, ebenso wer es kopiert oder exportiert hat oder mit einer privaten Kopie gegangen ist.</translation>
    </message>
    <message>
        <source>Stop sharing “{name}” and erase it for everyone?</source>
        <translation>Teilen von „{name}“ beenden und es für alle löschen?</translation>
    </message>
    <message>
        <source>Stop and erase</source>
        <translation>Beenden und löschen</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes of yours did not reach the team yet and will stay only here.</source>
        <comment>{count} change of yours did not reach the team yet and will stay only here.</comment>
        <translation>
            <numerusform>{count} Änderung von Ihnen hat das Team noch nicht erreicht und bleibt nur hier.</numerusform>
            <numerusform>{count} Änderungen von Ihnen haben das Team noch nicht erreicht und bleiben nur hier.</numerusform>
        </translation>
    </message>
    <message>
        <source>Copy text</source>
        <translation>Text kopieren</translation>
    </message>
    <message>
        <source>Team sync: details</source>
        <translation>Teamabgleich: Details</translation>
    </message>
    <message>
        <source>Workspace</source>
        <translation>Arbeitsbereich</translation>
    </message>
    <message>
        <source>Check against the server</source>
        <translation>Mit dem Server vergleichen</translation>
    </message>
    <message>
        <source>When</source>
        <translation>Wann</translation>
    </message>
    <message>
        <source>What</source>
        <translation>Was</translation>
    </message>
    <message>
        <source>Took</source>
        <translation>Dauer</translation>
    </message>
    <message>
        <source>Sync log</source>
        <translation>Protokoll des Abgleichs</translation>
    </message>
    <message>
        <source>{count} ms</source>
        <translation>{count} ms</translation>
    </message>
    <message>
        <source>Go on without them…</source>
        <translation>Ohne sie fortfahren…</translation>
    </message>
    <message numerus="yes">
        <source>Refused: {count} changes</source>
        <comment>Refused: {count} change</comment>
        <translation>
            <numerusform>Abgelehnt: {count} Änderung</numerusform>
            <numerusform>Abgelehnt: {count} Änderungen</numerusform>
        </translation>
    </message>
    <message>
        <source>Why</source>
        <translation>Warum</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>Text</translation>
    </message>
    <message>
        <source>Refused changes</source>
        <translation>Abgelehnte Änderungen</translation>
    </message>
    <message>
        <source>The team does not have these, or has something else in their place. They are kept on this computer only, until you forget them.</source>
        <translation>Das Team hat diese nicht, oder etwas anderes an ihrer Stelle. Sie werden nur auf diesem Computer aufbewahrt, bis Sie sie verwerfen.</translation>
    </message>
    <message>
        <source>Forget…</source>
        <translation>Verwerfen…</translation>
    </message>
    <message>
        <source>For the selected changes</source>
        <translation>Für die ausgewählten Änderungen</translation>
    </message>
    <message>
        <source>Asking the server…</source>
        <translation>Der Server wird gefragt…</translation>
    </message>
    <message>
        <source>… and {count} more.</source>
        <translation>… und {count} weitere.</translation>
    </message>
    <message numerus="yes">
        <source>{count} projects</source>
        <comment>{count} project</comment>
        <translation>
            <numerusform>{count} Projekt</numerusform>
            <numerusform>{count} Projekte</numerusform>
        </translation>
    </message>
    <message>
        <source>Encrypted, the server proves who it is</source>
        <translation>Verschlüsselt, der Server weist sich aus</translation>
    </message>
    <message>
        <source>Not encrypted, for a server on this computer or in a network of your own</source>
        <translation>Nicht verschlüsselt, für einen Server auf diesem Computer oder in einem eigenen Netz</translation>
    </message>
    <message>
        <source>Connection string</source>
        <translation>Verbindungszeichenfolge</translation>
    </message>
    <message>
        <source>Pasted text fills in the fields below.</source>
        <translation>Eingefügter Text füllt die Felder darunter aus.</translation>
    </message>
    <message>
        <source>Host</source>
        <translation>Host</translation>
    </message>
    <message>
        <source>User</source>
        <translation>Benutzer</translation>
    </message>
    <message>
        <source>An empty database</source>
        <translation>Eine leere Datenbank</translation>
    </message>
    <message>
        <source>An account that may create roles</source>
        <translation>Ein Konto, das Rollen anlegen darf</translation>
    </message>
    <message>
        <source>Password</source>
        <translation>Passwort</translation>
    </message>
    <message>
        <source>Certificate file…</source>
        <translation>Zertifikatsdatei…</translation>
    </message>
    <message>
        <source>Certificate of the authority that vouches for the server</source>
        <translation>Zertifikat der Stelle, die für den Server bürgt</translation>
    </message>
    <message>
        <source>Certificates that this computer trusts</source>
        <translation>Zertifikate, denen dieser Computer vertraut</translation>
    </message>
    <message>
        <source>Paste the connection string of an owner&apos;s account, or fill in the fields.</source>
        <translation>Fügen Sie die Verbindungszeichenfolge eines Eigentümerkontos ein, oder füllen Sie die Felder aus.</translation>
    </message>
    <message>
        <source>Trusted certificates</source>
        <translation>Vertrauenswürdige Zertifikate</translation>
    </message>
    <message>
        <source>The certificate named in the connection string</source>
        <translation>Das in der Verbindungszeichenfolge genannte Zertifikat</translation>
    </message>
    <message>
        <source>The certificate used so far</source>
        <translation>Das bisher verwendete Zertifikat</translation>
    </message>
    <message>
        <source>Certificate of the authority</source>
        <translation>Zertifikat der Zertifizierungsstelle</translation>
    </message>
    <message>
        <source>{name} is not a certificate in PEM form. Nothing was changed.</source>
        <translation>{name} ist kein Zertifikat im PEM-Format. Es wurde nichts geändert.</translation>
    </message>
    <message>
        <source>Only what {name} vouches for</source>
        <translation>Nur, wofür {name} bürgt</translation>
    </message>
    <message>
        <source>fine</source>
        <translation>in Ordnung</translation>
    </message>
    <message>
        <source>a warning</source>
        <translation>eine Warnung</translation>
    </message>
    <message>
        <source>Create a workspace</source>
        <translation>Arbeitsbereich anlegen</translation>
    </message>
    <message>
        <source>Name of the workspace</source>
        <translation>Name des Arbeitsbereichs</translation>
    </message>
    <message>
        <source>Your name, as the others see it</source>
        <translation>Ihr Name, wie die anderen ihn sehen</translation>
    </message>
    <message>
        <source>For example: the name of your team</source>
        <translation>Zum Beispiel: der Name Ihres Teams</translation>
    </message>
    <message>
        <source>For example: Ana Lima</source>
        <translation>Zum Beispiel: Ana Lima</translation>
    </message>
    <message>
        <source>Next</source>
        <translation>Weiter</translation>
    </message>
    <message>
        <source>Set up</source>
        <translation>Einrichten</translation>
    </message>
    <message>
        <source>Invite people…</source>
        <translation>Personen einladen…</translation>
    </message>
    <message>
        <source>“{name}” is ready, and you are its owner. Nothing is shared yet: open a project and choose Share…, and invite the people you work with.</source>
        <translation>„{name}“ ist bereit, und Sie sind Eigentümer. Noch ist nichts geteilt: Öffnen Sie ein Projekt und wählen Sie „Teilen…“, und laden Sie die Menschen ein, mit denen Sie arbeiten.</translation>
    </message>
    <message>
        <source>A workspace is a PostgreSQL database, 15 or newer, that your team&apos;s computers share changes through. Give an empty one, and an account that may create roles; its password is used now and not kept.</source>
        <translation>Ein Arbeitsbereich ist eine PostgreSQL-Datenbank, 15 oder neuer, über die die Computer Ihres Teams Änderungen teilen. Geben Sie eine leere an und ein Konto, das Rollen anlegen darf; sein Passwort wird jetzt benutzt und nicht gespeichert.</translation>
    </message>
    <message>
        <source>Was the workspace set up by hand? Then sign in with your login.</source>
        <translation>Wurde der Arbeitsbereich von Hand eingerichtet? Dann melden Sie sich mit Ihrem Login an.</translation>
    </message>
    <message>
        <source>Sign in</source>
        <translation>Anmelden</translation>
    </message>
    <message>
        <source>Your name</source>
        <translation>Ihr Name</translation>
    </message>
    <message>
        <source>If setting up is interrupted, set up the same database again: it continues.</source>
        <translation>Wird das Einrichten unterbrochen, richten Sie dieselbe Datenbank erneut ein: Es geht weiter.</translation>
    </message>
    <message>
        <source>Looking at the database…</source>
        <translation>Die Datenbank wird geprüft…</translation>
    </message>
    <message>
        <source>Signing in…</source>
        <translation>Anmeldung läuft…</translation>
    </message>
    <message>
        <source>Setting up the workspace…</source>
        <translation>Der Arbeitsbereich wird eingerichtet…</translation>
    </message>
    <message>
        <source>What was found</source>
        <translation>Was gefunden wurde</translation>
    </message>
    <message numerus="yes">
        <source>{count} problems must be fixed first.</source>
        <comment>{count} problem must be fixed first.</comment>
        <translation>
            <numerusform>{count} Problem muss zuerst behoben werden.</numerusform>
            <numerusform>{count} Probleme müssen zuerst behoben werden.</numerusform>
        </translation>
    </message>
    <message>
        <source>A workspace can be set up here.</source>
        <translation>Hier kann ein Arbeitsbereich eingerichtet werden.</translation>
    </message>
    <message>
        <source>A computer</source>
        <translation>Ein Computer</translation>
    </message>
    <message>
        <source>Take off the list…</source>
        <translation>Von der Liste nehmen…</translation>
    </message>
    <message>
        <source>Code</source>
        <comment>invitation</comment>
        <translation>Einladungscode</translation>
    </message>
    <message>
        <source>Copy the code</source>
        <translation>Code kopieren</translation>
    </message>
    <message>
        <source>Save as file…</source>
        <translation>Als Datei speichern…</translation>
    </message>
    <message>
        <source>The code is in the clipboard.</source>
        <translation>Der Code ist in der Zwischenablage.</translation>
    </message>
    <message>
        <source>The link is in the clipboard.</source>
        <translation>Der Link ist in der Zwischenablage.</translation>
    </message>
    <message>
        <source>Save the invitation</source>
        <translation>Einladung speichern</translation>
    </message>
    <message>
        <source>Invitations (*{ending})</source>
        <translation>Einladungen (*{ending})</translation>
    </message>
    <message>
        <source>Saved as {name}. Anyone who has the file can use it, so send it only to them.</source>
        <translation>Als {name} gespeichert. Wer die Datei hat, kann sie benutzen; senden Sie sie also nur an die richtige Person.</translation>
    </message>
    <message>
        <source>Invite to “{workspace}”</source>
        <translation>In „{workspace}“ einladen</translation>
    </message>
    <message>
        <source>{workspace} invitation</source>
        <translation>Einladung {workspace}</translation>
    </message>
    <message>
        <source>Who is invited</source>
        <translation>Wer eingeladen wird</translation>
    </message>
    <message>
        <source>Can be used for</source>
        <translation>Verwendbar für</translation>
    </message>
    <message>
        <source>No project is shared yet, or you manage none. They can be given roles later, under Members.</source>
        <translation>Noch ist kein Projekt geteilt, oder Sie verwalten keines. Rollen können später unter „Mitglieder“ vergeben werden.</translation>
    </message>
    <message>
        <source>Make an invitation</source>
        <translation>Einladung erstellen</translation>
    </message>
    <message>
        <source>Role in {name}</source>
        <translation>Rolle in {name}</translation>
    </message>
    <message>
        <source>Their name; they can change it</source>
        <translation>Der Name; er lässt sich noch ändern</translation>
    </message>
    <message>
        <source>Days for which the invitation can be used</source>
        <translation>Tage, an denen die Einladung verwendet werden kann</translation>
    </message>
    <message>
        <source> days</source>
        <translation> Tage</translation>
    </message>
    <message>
        <source>Send this to {name} and nobody else: the first person who uses it takes that place. It works once, until {day}. They choose Join a workspace in Settings, Team sync.</source>
        <translation>Senden Sie das an {name} und sonst niemanden: Wer es zuerst benutzt, nimmt diesen Platz ein. Es gilt einmal, bis {day}. Die Person wählt „Einem Arbeitsbereich beitreten“ unter Einstellungen, Teamabgleich.</translation>
    </message>
    <message>
        <source>Making the invitation…</source>
        <translation>Die Einladung wird erstellt…</translation>
    </message>
    <message>
        <source>Add a computer of mine</source>
        <translation>Eigenen Computer hinzufügen</translation>
    </message>
    <message>
        <source>{workspace} my computer</source>
        <translation>Mein Computer {workspace}</translation>
    </message>
    <message>
        <source>Type this passphrase on the other computer</source>
        <translation>Geben Sie diese Passphrase am anderen Computer ein</translation>
    </message>
    <message>
        <source>Take the code or file to your other computer, choose Join a workspace there, and type the passphrase. It can be used until {day}. The code alone opens nothing; do not send both the same way.</source>
        <translation>Bringen Sie den Code oder die Datei auf Ihren anderen Computer, wählen Sie dort „Einem Arbeitsbereich beitreten“ und geben Sie die Passphrase ein. Verwendbar bis {day}. Der Code allein öffnet nichts; senden Sie nicht beides auf demselben Weg.</translation>
    </message>
    <message>
        <source>Invitations (*{ending});;All files (*)</source>
        <translation>Einladungen (*{ending});;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>Join a workspace</source>
        <translation>Einem Arbeitsbereich beitreten</translation>
    </message>
    <message>
        <source>Invitation</source>
        <translation>Einladung</translation>
    </message>
    <message>
        <source>Open file…</source>
        <translation>Datei öffnen…</translation>
    </message>
    <message>
        <source>Join anyway: nothing is encrypted on the way</source>
        <translation>Trotzdem beitreten: Unterwegs ist nichts verschlüsselt</translation>
    </message>
    <message>
        <source>Paste the code or link that you were given, or open its file.</source>
        <translation>Fügen Sie den Code oder Link ein, den Sie bekommen haben, oder öffnen Sie seine Datei.</translation>
    </message>
    <message>
        <source>Passphrase that was shown beside the code</source>
        <translation>Passphrase, die neben dem Code stand</translation>
    </message>
    <message>
        <source>Join</source>
        <translation>Beitreten</translation>
    </message>
    <message>
        <source>{name} cannot be read. Nothing was sent. Ask for the code as text.</source>
        <translation>{name} kann nicht gelesen werden. Es wurde nichts gesendet. Bitten Sie um den Code als Text.</translation>
    </message>
    <message>
        <source>Open an invitation</source>
        <translation>Einladung öffnen</translation>
    </message>
    <message>
        <source>Joining the workspace…</source>
        <translation>Beitritt läuft…</translation>
    </message>
    <message>
        <source>Adds this computer to “{workspace}”. You are the same member as on the computer that made the code.</source>
        <translation>Fügt diesen Computer zu „{workspace}“ hinzu. Sie sind dasselbe Mitglied wie auf dem Computer, von dem der Code stammt.</translation>
    </message>
    <message>
        <source>You are invited by {name} to “{workspace}”.</source>
        <translation>{name} lädt Sie in „{workspace}“ ein.</translation>
    </message>
    <message>
        <source>You are invited to “{workspace}”.</source>
        <translation>Sie sind in „{workspace}“ eingeladen.</translation>
    </message>
    <message>
        <source>The database is {address}.</source>
        <translation>Die Datenbank ist {address}.</translation>
    </message>
    <message>
        <source>Projects: {projects}.</source>
        <translation>Projekte: {projects}.</translation>
    </message>
    <message>
        <source>It expired on {day}. Ask for a new one.</source>
        <translation>Abgelaufen am {day}. Bitten Sie um eine neue.</translation>
    </message>
    <message>
        <source>It can be used until {day}.</source>
        <translation>Verwendbar bis {day}.</translation>
    </message>
    <message>
        <source>It can be used once, until {day}.</source>
        <translation>Einmal verwendbar, bis {day}.</translation>
    </message>
    <message>
        <source>The way to this server is not encrypted: anyone on the way can read and change everything. That is fine for a server on this computer or a network that only you use.</source>
        <translation>Die Verbindung zu diesem Server ist nicht verschlüsselt: Jeder auf dem Weg dorthin kann alles lesen und ändern. Das ist in Ordnung für einen Server auf diesem Computer oder in einem Netz, das nur Sie benutzen.</translation>
    </message>
    <message>
        <source>This computer has no keyring that could keep the password. Keep it in ChatDesk&apos;s encrypted file of keys instead; you enter its passphrase once after each start.</source>
        <translation>Dieser Computer hat keinen Schlüsselbund, der das Passwort aufbewahren könnte. Legen Sie es stattdessen in der verschlüsselten Schlüsseldatei von ChatDesk ab; ihre Passphrase geben Sie nach jedem Start einmal ein.</translation>
    </message>
    <message>
        <source>Keep it in the file</source>
        <translation>In der Datei aufbewahren</translation>
    </message>
    <message>
        <source>The passphrase of the file of keys</source>
        <translation>Die Passphrase der Schlüsseldatei</translation>
    </message>
    <message>
        <source>Leave “{workspace}”?</source>
        <translation>„{workspace}“ verlassen?</translation>
    </message>
    <message>
        <source>Its projects stay on this computer, as private copies. Nothing is deleted here or there.</source>
        <translation>Die Projekte bleiben als private Kopien auf diesem Computer. Weder hier noch dort wird etwas gelöscht.</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes did not reach the team yet and will stay only here.</source>
        <comment>{count} change did not reach the team yet and will stay only here.</comment>
        <translation>
            <numerusform>{count} Änderung hat das Team noch nicht erreicht und bleibt nur hier.</numerusform>
            <numerusform>{count} Änderungen haben das Team noch nicht erreicht und bleiben nur hier.</numerusform>
        </translation>
    </message>
    <message>
        <source>Only on this computer</source>
        <translation>Nur auf diesem Computer</translation>
    </message>
    <message>
        <source>For good: end my membership</source>
        <translation>Endgültig: meine Mitgliedschaft beenden</translation>
    </message>
    <message>
        <source>You stay a member; a code from another computer of yours brings this one back.</source>
        <translation>Sie bleiben Mitglied; mit einem Code von einem anderen eigenen Computer kommt dieser zurück.</translation>
    </message>
    <message>
        <source>Leaving the workspace…</source>
        <translation>Der Arbeitsbereich wird verlassen…</translation>
    </message>
    <message>
        <source>Use</source>
        <translation>Verwenden</translation>
    </message>
    <message>
        <source>Password for “{workspace}”</source>
        <translation>Passwort für „{workspace}“</translation>
    </message>
    <message>
        <source>ChatDesk made this password when you joined and keeps it with your keys. If it is lost, ask for a new invitation, or take a code from another computer of yours.</source>
        <translation>ChatDesk hat dieses Passwort beim Beitritt erstellt und verwahrt es bei Ihren Schlüsseln. Ging es verloren, bitten Sie um eine neue Einladung, oder nehmen Sie einen Code von einem anderen eigenen Computer.</translation>
    </message>
    <message>
        <source>Trying the password…</source>
        <translation>Das Passwort wird geprüft…</translation>
    </message>
    <message>
        <source>Rename the workspace</source>
        <translation>Arbeitsbereich umbenennen</translation>
    </message>
    <message>
        <source>All members see the new name.</source>
        <translation>Alle Mitglieder sehen den neuen Namen.</translation>
    </message>
    <message>
        <source>Renaming the workspace…</source>
        <translation>Der Arbeitsbereich wird umbenannt…</translation>
    </message>
    <message>
        <source>On all of your computers. What you wrote stays with the team; to come back you need an invitation.</source>
        <translation>Auf allen Ihren Computern. Was Sie geschrieben haben, bleibt beim Team; um zurückzukommen, brauchen Sie eine Einladung.</translation>
    </message>
    <message>
        <source>Make somebody else an owner first.</source>
        <translation>Machen Sie zuerst jemand anderen zum Eigentümer.</translation>
    </message>
    <message>
        <source>Owners invite people, remove members and make others owners.</source>
        <translation>Eigentümer laden ein, entfernen Mitglieder und machen andere zu Eigentümern.</translation>
    </message>
    <message>
        <source>End their connections: for somebody whose unfinished change holds up the others</source>
        <translation>Verbindungen beenden: für jemanden, dessen unfertige Änderung die anderen aufhält</translation>
    </message>
    <message>
        <source>Roles</source>
        <translation>Rollen</translation>
    </message>
    <message>
        <source>My name…</source>
        <translation>Mein Name…</translation>
    </message>
    <message>
        <source>Manage…</source>
        <translation>Verwalten…</translation>
    </message>
    <message>
        <source>New password…</source>
        <translation>Neues Passwort…</translation>
    </message>
    <message>
        <source>End their connections</source>
        <translation>Verbindungen beenden</translation>
    </message>
    <message>
        <source>Remove from the workspace…</source>
        <translation>Aus dem Arbeitsbereich entfernen…</translation>
    </message>
    <message>
        <source>Change name</source>
        <translation>Name ändern</translation>
    </message>
    <message>
        <source>Owner of the workspace</source>
        <translation>Eigentümer des Arbeitsbereichs</translation>
    </message>
    <message>
        <source>Telling the server…</source>
        <translation>Der Server wird informiert…</translation>
    </message>
    <message>
        <source>Changing your name…</source>
        <translation>Ihr Name wird geändert…</translation>
    </message>
    <message>
        <source>{people} and {more} more</source>
        <translation>{people} und {more} weitere</translation>
    </message>
    <message>
        <source>{name} invited {people}. They are still members, with the roles they have. Remove them as well if they came for {name} only; what they wrote stays either way.</source>
        <translation>{name} hat {people} eingeladen. Sie sind noch Mitglieder, mit ihren Rollen. Entfernen Sie sie auch, wenn sie nur wegen {name} kamen; was sie geschrieben haben, bleibt in jedem Fall.</translation>
    </message>
    <message>
        <source>{name} can no longer log in, from any computer, from this moment on. What they wrote stays with the team; what is on their computer already stays there. To have them back, invite them again.</source>
        <translation>{name} kann sich ab diesem Moment von keinem Computer mehr anmelden. Das Geschriebene bleibt beim Team; was schon auf dem Computer ist, bleibt dort. Um die Person zurückzuholen, laden Sie sie erneut ein.</translation>
    </message>
    <message>
        <source>This computer gets a new password that nobody sees. Your other computers can no longer log in with the old one: add them again with Add a computer of mine. Nothing is deleted.</source>
        <translation>Dieser Computer bekommt ein neues Passwort, das niemand sieht. Ihre anderen Computer können sich mit dem alten nicht mehr anmelden: Fügen Sie sie mit „Eigenen Computer hinzufügen“ neu hinzu. Nichts wird gelöscht.</translation>
    </message>
    <message>
        <source>This profile was restored or repaired, or a copy of it is in use. ChatDesk does not connect to {address} until you say so; what waits here is sent then.</source>
        <translation>Dieses Profil wurde wiederhergestellt oder repariert, oder eine Kopie davon ist in Gebrauch. ChatDesk verbindet sich erst mit {address}, wenn Sie es erlauben; was hier wartet, wird dann gesendet.</translation>
    </message>
    <message>
        <source>Connect again</source>
        <translation>Wieder verbinden</translation>
    </message>
    <message>
        <source>Give it up</source>
        <translation>Aufgeben</translation>
    </message>
    <message>
        <source>Give {name} up; its projects stay here as private copies</source>
        <translation>{name} aufgeben; die Projekte bleiben hier als private Kopien</translation>
    </message>
    <message>
        <source>Create another workspace…</source>
        <translation>Weiteren Arbeitsbereich anlegen…</translation>
    </message>
    <message>
        <source>Join another workspace…</source>
        <translation>Weiterem Arbeitsbereich beitreten…</translation>
    </message>
    <message>
        <source>Work in the same projects with others, or on several computers of yours. Every computer keeps everything and works offline; a PostgreSQL database of yours carries the changes, and no server of ours is involved.</source>
        <translation>Arbeiten Sie mit anderen in denselben Projekten oder auf mehreren eigenen Computern. Jeder Computer behält alles und arbeitet auch offline; eine eigene PostgreSQL-Datenbank überträgt die Änderungen, und kein Server von uns ist beteiligt.</translation>
    </message>
    <message>
        <source>For a team that has none: sets up an empty database that you give, and makes you its owner.</source>
        <translation>Für ein Team, das keinen hat: richtet eine leere Datenbank ein, die Sie angeben, und macht Sie zum Eigentümer.</translation>
    </message>
    <message>
        <source>Create a workspace…</source>
        <translation>Arbeitsbereich anlegen…</translation>
    </message>
    <message>
        <source>With an invitation: a code, a link or a file that somebody of the team, or another computer of yours, made. Nothing is sent before you have seen what it is.</source>
        <translation>Mit einer Einladung: einem Code, einem Link oder einer Datei, erstellt von jemandem aus dem Team oder von einem anderen eigenen Computer. Es wird nichts gesendet, bevor Sie gesehen haben, was es ist.</translation>
    </message>
    <message>
        <source>Enter the password…</source>
        <translation>Passwort eingeben…</translation>
    </message>
    <message>
        <source>Details of syncing with {name}</source>
        <translation>Details des Abgleichs mit {name}</translation>
    </message>
    <message>
        <source>{address}, joined {day}</source>
        <translation>{address}, beigetreten {day}</translation>
    </message>
    <message>
        <source>Shared projects</source>
        <translation>Geteilte Projekte</translation>
    </message>
    <message>
        <source>Role and state</source>
        <translation>Rolle und Zustand</translation>
    </message>
    <message>
        <source>Sharing…</source>
        <translation>Teilen…</translation>
    </message>
    <message>
        <source>None yet. Open a project and choose Share… in its menu; only what you share leaves this computer.</source>
        <translation>Noch keine. Öffnen Sie ein Projekt und wählen Sie „Teilen…“ in seinem Menü; nur was Sie teilen, verlässt diesen Computer.</translation>
    </message>
    <message>
        <source>Members</source>
        <translation>Mitglieder</translation>
    </message>
    <message>
        <source>Devices</source>
        <translation>Geräte</translation>
    </message>
    <message>
        <source>Computer</source>
        <translation>Computer</translation>
    </message>
    <message>
        <source>About</source>
        <translation>Angaben</translation>
    </message>
    <message>
        <source>somebody</source>
        <translation>jemand</translation>
    </message>
    <message>
        <source>Add a computer of mine…</source>
        <translation>Eigenen Computer hinzufügen…</translation>
    </message>
    <message>
        <source>Address…</source>
        <translation>Adresse…</translation>
    </message>
    <message>
        <source>Address of the server of {name}</source>
        <translation>Adresse des Servers von {name}</translation>
    </message>
    <message>
        <source>Leave…</source>
        <translation>Verlassen…</translation>
    </message>
    <message>
        <source>Invite somebody to {name}</source>
        <translation>Jemanden in {name} einladen</translation>
    </message>
    <message>
        <source>Rename…</source>
        <translation>Umbenennen…</translation>
    </message>
    <message>
        <source>That computer can no longer sync under this name; what is on it stays there. If it was lost, also make a new password under My name, and add your other computers again.</source>
        <translation>Der Computer kann unter diesem Namen nicht mehr abgleichen; was darauf ist, bleibt dort. Wenn er verloren ging, legen Sie unter „Mein Name“ auch ein neues Passwort an, und fügen Sie Ihre anderen Computer wieder hinzu.</translation>
    </message>
    <message>
        <source>A project that is not here yet</source>
        <translation>Ein Projekt, das noch nicht hier ist</translation>
    </message>
    <message>
        <source>Share…</source>
        <translation>Teilen…</translation>
    </message>
    <message>
        <source>Keep messages</source>
        <translation>Nachrichten behalten</translation>
    </message>
    <message>
        <source>Older messages are erased for everybody, about once a day; that cannot be undone.</source>
        <translation>Ältere Nachrichten werden etwa einmal am Tag für alle gelöscht; das lässt sich nicht rückgängig machen.</translation>
    </message>
    <message>
        <source>Days for which messages are kept</source>
        <translation>Tage, die Nachrichten behalten werden</translation>
    </message>
    <message>
        <source>Set</source>
        <translation>Festlegen</translation>
    </message>
    <message>
        <source>Set how long messages are kept</source>
        <translation>Festlegen, wie lange Nachrichten bleiben</translation>
    </message>
    <message>
        <source>Other…</source>
        <translation>Andere Dauer…</translation>
    </message>
    <message>
        <source>For ever</source>
        <translation>Für immer</translation>
    </message>
    <message numerus="yes">
        <source>For {count} days</source>
        <comment>For {count} day</comment>
        <translation>
            <numerusform>{count} Tag lang</numerusform>
            <numerusform>{count} Tage lang</numerusform>
        </translation>
    </message>
    <message>
        <source>Messages are kept for ever.</source>
        <translation>Nachrichten werden für immer behalten.</translation>
    </message>
    <message numerus="yes">
        <source>Messages are kept for {count} days.</source>
        <comment>Messages are kept for {count} day.</comment>
        <translation>
            <numerusform>Nachrichten werden {count} Tag lang behalten.</numerusform>
            <numerusform>Nachrichten werden {count} Tage lang behalten.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Messages that are older than {count} days are erased for everybody, now and from now on: from the server, and from each computer when it syncs next. This cannot be undone. Backups, private copies and what somebody copied elsewhere keep them.</source>
        <comment>Messages that are older than {count} day are erased for everybody, now and from now on: from the server, and from each computer when it syncs next. This cannot be undone. Backups, private copies and what somebody copied elsewhere keep them.</comment>
        <translation>
            <numerusform>Nachrichten, die älter als {count} Tag sind, werden für alle gelöscht, jetzt und künftig: vom Server und von jedem Computer beim nächsten Abgleich. Das lässt sich nicht rückgängig machen. Sicherungen, private Kopien und anderswohin Kopiertes behalten sie.</numerusform>
            <numerusform>Nachrichten, die älter als {count} Tage sind, werden für alle gelöscht, jetzt und künftig: vom Server und von jedem Computer beim nächsten Abgleich. Das lässt sich nicht rückgängig machen. Sicherungen, private Kopien und anderswohin Kopiertes behalten sie.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Keep messages of “{name}” for {count} days only?</source>
        <comment>Keep messages of “{name}” for {count} day only?</comment>
        <translation>
            <numerusform>Nachrichten von „{name}“ nur {count} Tag lang behalten?</numerusform>
            <numerusform>Nachrichten von „{name}“ nur {count} Tage lang behalten?</numerusform>
        </translation>
    </message>
    <message>
        <source>Erase what is older</source>
        <translation>Älteres löschen</translation>
    </message>
    <message>
        <source>No access</source>
        <translation>Kein Zugang</translation>
    </message>
    <message>
        <source>{role}: {rights}.</source>
        <translation>{role}: {rights}.</translation>
    </message>
    <message>
        <source>Role</source>
        <translation>Rolle</translation>
    </message>
    <message>
        <source>{what} and role</source>
        <translation>{what} und Rolle</translation>
    </message>
    <message>
        <source>Where “{workspace}” is reached</source>
        <translation>Wo „{workspace}“ zu erreichen ist</translation>
    </message>
    <message>
        <source>For a server that moved, or has another name now. ChatDesk first checks that this workspace is there. Your login stays; your other computers and the other members move for themselves.</source>
        <translation>Für einen Server, der umgezogen ist oder jetzt anders heißt. ChatDesk prüft zuerst, ob dieser Arbeitsbereich dort ist. Ihr Login bleibt; Ihre anderen Computer und die anderen Mitglieder ziehen selbst um.</translation>
    </message>
    <message>
        <source>Use this address</source>
        <translation>Diese Adresse verwenden</translation>
    </message>
    <message>
        <source>Looking for the workspace…</source>
        <translation>Der Arbeitsbereich wird gesucht…</translation>
    </message>
    <message>
        <source>Viewer</source>
        <translation>Leser</translation>
    </message>
    <message>
        <source>Editor</source>
        <translation>Bearbeiter</translation>
    </message>
    <message>
        <source>Admin</source>
        <translation>Verwalter</translation>
    </message>
    <message>
        <source>Owner</source>
        <translation>Eigentümer</translation>
    </message>
    <message>
        <source>reads</source>
        <translation>liest</translation>
    </message>
    <message>
        <source>reads and writes, changes and deletes their own</source>
        <translation>liest und schreibt, ändert und löscht Eigenes</translation>
    </message>
    <message>
        <source>changes and deletes everything, and manages members</source>
        <translation>ändert und löscht alles und verwaltet Mitglieder</translation>
    </message>
    <message>
        <source>does everything, and may end the sharing for everybody</source>
        <translation>macht alles und darf das Teilen für alle beenden</translation>
    </message>
    <message>
        <source>Only projects that you share leave this computer: their threads, messages, attachments and summaries. Keys, drafts, pins, the prompt library and everything else stay here.</source>
        <translation>Nur Projekte, die Sie teilen, verlassen diesen Computer: ihre Unterhaltungen, Nachrichten, Anhänge und Zusammenfassungen. Schlüssel, Entwürfe, Anheftungen, die Promptbibliothek und alles andere bleiben hier.</translation>
    </message>
    <message>
        <source>What others have read, copied or exported, and private copies of those who leave. Threads and messages can be erased for everyone later, on the server and on each computer when it syncs; backups keep them until they are replaced. Stopping to share removes nothing from the server unless you choose to erase the project.</source>
        <translation>Was andere gelesen, kopiert oder exportiert haben, und private Kopien derer, die gehen. Unterhaltungen und Nachrichten können später für alle gelöscht werden, auf dem Server und auf jedem Computer beim Abgleich; Sicherungen behalten sie, bis sie ersetzt werden. Das Beenden des Teilens entfernt nichts vom Server, es sei denn, Sie wählen das Löschen des Projekts.</translation>
    </message>
    <message>
        <source>This version of ChatDesk brings a newer form of the team&apos;s database. Everyone can go on working with the present one until you upgrade it: &apos;chatdesk team upgrade&apos;.</source>
        <translation>Diese Version von ChatDesk bringt eine neuere Form der Team-Datenbank mit. Alle können mit der jetzigen weiterarbeiten, bis Sie sie aktualisieren: „chatdesk team upgrade“.</translation>
    </message>
    <message>
        <source>Anyone who administers the database can read all that is shared, whatever roles people have.</source>
        <translation>Wer die Datenbank verwaltet, kann alles Geteilte lesen, welche Rollen die Personen auch haben.</translation>
    </message>
    <message>
        <source>Shared with you again; choose Share… to send this copy</source>
        <translation>Wieder mit Ihnen geteilt; wählen Sie „Teilen…“, um diese Kopie zu senden</translation>
    </message>
    <message>
        <source>being sent</source>
        <translation>wird gesendet</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes refused</source>
        <comment>{count} change refused</comment>
        <translation>
            <numerusform>{count} Änderung abgelehnt</numerusform>
            <numerusform>{count} Änderungen abgelehnt</numerusform>
        </translation>
    </message>
    <message>
        <source>not in sync: what the server has does not fit</source>
        <translation>nicht im Abgleich: Was der Server hat, passt nicht</translation>
    </message>
    <message numerus="yes">
        <source>{count} attachments ({size})</source>
        <comment>{count} attachment ({size})</comment>
        <translation>
            <numerusform>{count} Anhang ({size})</numerusform>
            <numerusform>{count} Anhänge ({size})</numerusform>
        </translation>
    </message>
    <message>
        <source>{parts} are sent now; what is written later is sent by itself.</source>
        <translation>Jetzt wird gesendet: {parts}. Später Geschriebenes folgt von selbst.</translation>
    </message>
    <message>
        <source>Removed; what they wrote stays</source>
        <translation>Entfernt; das Geschriebene bleibt</translation>
    </message>
    <message>
        <source>you</source>
        <comment>beside a name</comment>
        <translation>Sie</translation>
    </message>
    <message numerus="yes">
        <source>{count} connections of {name} were ended. The server dropped what was unfinished; their computer sends it again.</source>
        <comment>{count} connection of {name} was ended. The server dropped what was unfinished; their computer sends it again.</comment>
        <translation>
            <numerusform>{count} Verbindung von {name} wurde beendet. Der Server hat Unfertiges verworfen; der Computer der Person sendet es erneut.</numerusform>
            <numerusform>{count} Verbindungen von {name} wurden beendet. Der Server hat Unfertiges verworfen; der Computer der Person sendet es erneut.</numerusform>
        </translation>
    </message>
    <message>
        <source>you</source>
        <translation>Ihnen</translation>
    </message>
    <message>
        <source>owner of the workspace</source>
        <translation>Eigentümer des Arbeitsbereichs</translation>
    </message>
    <message>
        <source>invited, has not joined yet</source>
        <translation>eingeladen, noch nicht beigetreten</translation>
    </message>
    <message>
        <source>invited on {day}, has not joined yet</source>
        <translation>eingeladen am {day}, noch nicht beigetreten</translation>
    </message>
    <message>
        <source>in no project of yours</source>
        <translation>in keinem Projekt von Ihnen</translation>
    </message>
    <message>
        <source>this computer</source>
        <translation>dieser Computer</translation>
    </message>
    <message>
        <source>never connected</source>
        <translation>nie verbunden</translation>
    </message>
    <message>
        <source>connected now</source>
        <translation>jetzt verbunden</translation>
    </message>
    <message>
        <source>last connected {moment}</source>
        <translation>zuletzt verbunden {moment}</translation>
    </message>
    <message>
        <source>Nothing was new.</source>
        <translation>Es gab nichts Neues.</translation>
    </message>
    <message>
        <source>{sent} sent, {received} received.</source>
        <translation>{sent} gesendet, {received} empfangen.</translation>
    </message>
    <message>
        <source>{database} on {host}</source>
        <translation>{database} auf {host}</translation>
    </message>
    <message numerus="yes">
        <source>{count} people {name} invited were removed.</source>
        <comment>{count} person {name} invited was removed.</comment>
        <translation>
            <numerusform>{count} von {name} eingeladene Person wurde entfernt.</numerusform>
            <numerusform>{count} von {name} eingeladene Personen wurden entfernt.</numerusform>
        </translation>
    </message>
    <message>
        <source>Everything in it stays on this computer as a private copy.</source>
        <translation>Alles darin bleibt auf diesem Computer als private Kopie.</translation>
    </message>
    <message>
        <source>What you had not sent is in your own project.</source>
        <translation>Was Sie nicht gesendet hatten, ist in Ihrem eigenen Projekt.</translation>
    </message>
    <message>
        <source>shared, you can only read</source>
        <translation>geteilt, Sie können nur lesen</translation>
    </message>
    <message>
        <source>shared</source>
        <translation>geteilt</translation>
    </message>
    <message>
        <source>shared, you manage it</source>
        <translation>geteilt, Sie verwalten es</translation>
    </message>
    <message>
        <source>shared by you</source>
        <translation>von Ihnen geteilt</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes in this thread were not taken by the team&apos;s server, so only you see them. Press the line below the threads to read why, to copy them out or to try again.</source>
        <comment>{count} change in this thread was not taken by the team&apos;s server, so only you see it. Press the line below the threads to read why, to copy it out or to try again.</comment>
        <translation>
            <numerusform>{count} Änderung in dieser Unterhaltung hat der Server des Teams nicht angenommen; nur Sie sehen sie. Die Zeile unter den Unterhaltungen nennt den Grund; dort können Sie sie herauskopieren oder es erneut versuchen.</numerusform>
            <numerusform>{count} Änderungen in dieser Unterhaltung hat der Server des Teams nicht angenommen; nur Sie sehen sie. Die Zeile unter den Unterhaltungen nennt den Grund; dort können Sie sie herauskopieren oder es erneut versuchen.</numerusform>
        </translation>
    </message>
    <message>
        <source>“{name}” is open to you again. Nothing of it was sent, because you wrote in your own copy meanwhile: choose Share… in its menu, and that goes up too.</source>
        <translation>„{name}“ ist wieder für Sie zugänglich. Davon wurde nichts gesendet, weil Sie inzwischen in Ihrer eigenen Kopie geschrieben haben: Wählen Sie „Teilen…“ in seinem Menü, dann wird auch das gesendet.</translation>
    </message>
    <message>
        <source>You are no longer a member of “{workspace}”. Its projects stay on this computer with everything in them, and what you write there now waits here. To come back, ask its owner for a new invitation.</source>
        <translation>Sie sind kein Mitglied von „{workspace}“ mehr. Die Projekte bleiben mit allem auf diesem Computer, und was Sie dort jetzt schreiben, wartet hier. Um zurückzukommen, bitten Sie den Eigentümer um eine neue Einladung.</translation>
    </message>
    <message>
        <source>“{workspace}”: {problem} {next_step} Nothing that you write is lost meanwhile.</source>
        <translation>„{workspace}“: {problem} {next_step} Was Sie inzwischen schreiben, geht nicht verloren.</translation>
    </message>
    <message>
        <source>You can read this project; ask {name} to let you write.</source>
        <translation>Sie können dieses Projekt lesen; bitten Sie {name}, Sie schreiben zu lassen.</translation>
    </message>
    <message>
        <source>You can read this project; ask its owner to let you write.</source>
        <translation>Sie können dieses Projekt lesen; bitten Sie den Eigentümer, Sie schreiben zu lassen.</translation>
    </message>
    <message>
        <source>Another member</source>
        <translation>Ein anderes Mitglied</translation>
    </message>
    <message numerus="yes">
        <source>{first}, {second} and {count} others</source>
        <comment>{first}, {second} and {count} other</comment>
        <translation>
            <numerusform>{first}, {second} und {count} weitere Person</numerusform>
            <numerusform>{first}, {second} und {count} weitere Personen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{names} wrote {count} messages</source>
        <comment>{names} wrote a message</comment>
        <translation>
            <numerusform>{names}: eine Nachricht</numerusform>
            <numerusform>{names}: {count} Nachrichten</numerusform>
        </translation>
    </message>
    <message>
        <source>A project</source>
        <translation>Ein Projekt</translation>
    </message>
    <message>
        <source>Paused: nothing is read or written in the folder. What you write waits on this computer.</source>
        <translation>Pausiert: Im Ordner wird nichts gelesen oder geschrieben. Was Sie schreiben, wartet auf diesem Computer.</translation>
    </message>
    <message>
        <source>This profile was restored, or a copy of it is in use, so it does not exchange anything. All chats are kept. Join again with the recovery phrase, or forget the folder.</source>
        <translation>Dieses Profil wurde wiederhergestellt, oder eine Kopie davon wird verwendet; deshalb tauscht es nichts aus. Alle Chats bleiben erhalten. Treten Sie mit der Wiederherstellungsphrase wieder bei, oder vergessen Sie den Ordner.</translation>
    </message>
    <message>
        <source>Your chats are being written into the folder. Join it on your other computers.</source>
        <translation>Ihre Chats werden in den Ordner geschrieben. Treten Sie ihm auf Ihren anderen Computern bei.</translation>
    </message>
    <message>
        <source>This computer has joined. What the others have comes in now.</source>
        <translation>Dieser Computer ist beigetreten. Was die anderen haben, kommt jetzt an.</translation>
    </message>
    <message>
        <source>Syncing.</source>
        <translation>Abgleich läuft.</translation>
    </message>
    <message>
        <source>Not everything is in the folder yet.</source>
        <translation>Noch ist nicht alles im Ordner.</translation>
    </message>
    <message>
        <source>All chats stay here. The folder stays as it is, for your other computers; nobody can read it without the phrase, with which you can join again.</source>
        <translation>Alle Chats bleiben hier. Der Ordner bleibt für Ihre anderen Computer, wie er ist; ohne die Phrase kann ihn niemand lesen, und mit ihr können Sie wieder beitreten.</translation>
    </message>
    <message>
        <source>Forget the folder?</source>
        <translation>Den Ordner vergessen?</translation>
    </message>
    <message>
        <source>Forget it</source>
        <translation>Vergessen</translation>
    </message>
    <message>
        <source>This computer has left {folder}. All chats are kept.</source>
        <translation>Dieser Computer hat {folder} verlassen. Alle Chats bleiben erhalten.</translation>
    </message>
    <message>
        <source>Its chats and those of this computer are merged when you join; nothing is lost.</source>
        <translation>Seine Chats und die dieses Computers werden beim Beitritt zusammengeführt; nichts geht verloren.</translation>
    </message>
    <message>
        <source>The phrase is still shown here.</source>
        <translation>Die Phrase wird hier noch gezeigt.</translation>
    </message>
    <message>
        <source>Choose another folder, or copy the phrase.</source>
        <translation>Wählen Sie einen anderen Ordner, oder kopieren Sie die Phrase.</translation>
    </message>
    <message>
        <source>Saved as {name}. Print it, or keep it where only you can read it.</source>
        <translation>Als {name} gespeichert. Drucken Sie die Datei, oder bewahren Sie sie auf, wo nur Sie sie lesen können.</translation>
    </message>
    <message>
        <source>Go on without them</source>
        <translation>Ohne sie fortfahren</translation>
    </message>
    <message numerus="yes">
        <source>The text of {count} changes is in the clipboard.</source>
        <comment>The text of {count} change is in the clipboard.</comment>
        <translation>
            <numerusform>Der Text von {count} Änderung ist in der Zwischenablage.</numerusform>
            <numerusform>Der Text von {count} Änderungen ist in der Zwischenablage.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Forget {count} refused changes?</source>
        <comment>Forget {count} refused change?</comment>
        <translation>
            <numerusform>{count} abgelehnte Änderung verwerfen?</numerusform>
            <numerusform>{count} abgelehnte Änderungen verwerfen?</numerusform>
        </translation>
    </message>
    <message>
        <source>What the server refused is no longer shown and cannot be sent again. Copy the text first if you need it.</source>
        <translation>Was der Server abgelehnt hat, wird nicht mehr gezeigt und kann nicht erneut gesendet werden. Kopieren Sie zuerst den Text, wenn Sie ihn brauchen.</translation>
    </message>
    <message>
        <source>Sync is off</source>
        <translation>Abgleich ist aus</translation>
    </message>
    <message>
        <source>Sync is off.</source>
        <translation>Abgleich ist aus.</translation>
    </message>
    <message>
        <source>Synced</source>
        <translation>Abgeglichen</translation>
    </message>
    <message>
        <source>Synced.</source>
        <translation>Abgeglichen.</translation>
    </message>
    <message>
        <source>Syncing…</source>
        <translation>Abgleich läuft…</translation>
    </message>
    <message>
        <source>Connecting…</source>
        <translation>Verbindung wird hergestellt…</translation>
    </message>
    <message>
        <source>Connecting.</source>
        <translation>Verbindung wird hergestellt.</translation>
    </message>
    <message>
        <source>Offline echo</source>
        <translation>Offline-Echo</translation>
    </message>
    <message>
        <source>the offline model</source>
        <translation>Offline-Demo</translation>
    </message>
    <message>
        <source>The offline model</source>
        <translation>Das Offline-Modell</translation>
    </message>
    <message>
        <source>Offline</source>
        <translation>Offline</translation>
    </message>
    <message>
        <source>The offline model pretends to be busy.</source>
        <translation>Das Offline-Modell tut, als sei es beschäftigt.</translation>
    </message>
    <message>
        <source>Offline: the team&apos;s database cannot be reached.</source>
        <translation>Offline: Die Datenbank des Teams ist nicht erreichbar.</translation>
    </message>
    <message>
        <source>Update ChatDesk to send</source>
        <translation>ChatDesk zum Senden aktualisieren</translation>
    </message>
    <message>
        <source>This ChatDesk is too old to send changes; it still receives those of others.</source>
        <translation>Dieses ChatDesk ist zu alt, um Änderungen zu senden; die der anderen empfängt es noch.</translation>
    </message>
    <message>
        <source>Refused by the team&apos;s server</source>
        <translation>Vom Server des Teams abgelehnt</translation>
    </message>
    <message>
        <source>The team&apos;s database did not let this computer in.</source>
        <translation>Die Datenbank des Teams hat diesen Computer nicht zugelassen.</translation>
    </message>
    <message>
        <source>Synced at {moment}.</source>
        <translation>Abgeglichen um {moment}.</translation>
    </message>
    <message>
        <source>Syncing {done} of {total}.</source>
        <translation>Abgleich: {done} von {total}.</translation>
    </message>
    <message>
        <source>Synced last at {moment}.</source>
        <translation>Zuletzt abgeglichen um {moment}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes were refused.</source>
        <comment>{count} change was refused.</comment>
        <translation>
            <numerusform>{count} Änderung wurde abgelehnt.</numerusform>
            <numerusform>{count} Änderungen wurden abgelehnt.</numerusform>
        </translation>
    </message>
    <message>
        <source>The next try is at {moment}.</source>
        <translation>Der nächste Versuch ist um {moment}.</translation>
    </message>
    <message>
        <source>never</source>
        <translation>nie</translation>
    </message>
    <message>
        <source>Syncing {done} of {total}</source>
        <translation>Abgleich: {done} von {total}</translation>
    </message>
    <message>
        <source>Synced {time}</source>
        <translation>Abgeglichen {time}</translation>
    </message>
    <message>
        <source>Refused: {problem}</source>
        <translation>Abgelehnt: {problem}</translation>
    </message>
    <message numerus="yes">
        <source>Sending {count} changes</source>
        <comment>Sending {count} change</comment>
        <translation>
            <numerusform>{count} Änderung wird gesendet</numerusform>
            <numerusform>{count} Änderungen werden gesendet</numerusform>
        </translation>
    </message>
    <message>
        <source>{words}.</source>
        <translation>{words}.</translation>
    </message>
    <message>
        <source>Change how the project is shared…</source>
        <translation>Ändern, wie das Projekt geteilt wird…</translation>
    </message>
    <message>
        <source>Share project…</source>
        <translation>Projekt teilen…</translation>
    </message>
    <message>
        <source>The others see you as {name} from the next sync on.</source>
        <translation>Die anderen sehen Sie ab dem nächsten Abgleich als {name}.</translation>
    </message>
    <message>
        <source>{name} was removed, and can no longer log in.</source>
        <translation>{name} wurde entfernt und kann sich nicht mehr anmelden.</translation>
    </message>
    <message>
        <source>Remove {name} from the workspace?</source>
        <translation>{name} aus dem Arbeitsbereich entfernen?</translation>
    </message>
    <message>
        <source>Removing the member…</source>
        <translation>Das Mitglied wird entfernt…</translation>
    </message>
    <message>
        <source>Remove the people {name} invited?</source>
        <translation>Die von {name} Eingeladenen entfernen?</translation>
    </message>
    <message>
        <source>Remove them</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <source>This computer has a new password. Add your other computers again.</source>
        <translation>Dieser Computer hat ein neues Passwort. Fügen Sie Ihre anderen Computer neu hinzu.</translation>
    </message>
    <message>
        <source>Make a new password?</source>
        <translation>Neues Passwort erstellen?</translation>
    </message>
    <message>
        <source>New password</source>
        <translation>Neues Passwort</translation>
    </message>
    <message>
        <source>Changing the password…</source>
        <translation>Das Passwort wird geändert…</translation>
    </message>
    <message>
        <source>Taking the computer off the list…</source>
        <translation>Der Computer wird von der Liste genommen…</translation>
    </message>
    <message>
        <source>{name} is off the list.</source>
        <translation>{name} steht nicht mehr auf der Liste.</translation>
    </message>
    <message>
        <source>Take {name} off the list?</source>
        <translation>{name} von der Liste nehmen?</translation>
    </message>
    <message>
        <source>Take off</source>
        <translation>Von der Liste nehmen</translation>
    </message>
    <message>
        <source>The workspace is called “{name}” now.</source>
        <translation>Der Arbeitsbereich heißt jetzt „{name}“.</translation>
    </message>
    <message>
        <source>You left “{name}”. Its projects are private copies now.</source>
        <translation>Sie haben „{name}“ verlassen. Die Projekte sind jetzt private Kopien.</translation>
    </message>
    <message>
        <source>You are in “{name}” again.</source>
        <translation>Sie sind wieder in „{name}“.</translation>
    </message>
    <message>
        <source>You left the workspace. Its projects are private copies now.</source>
        <translation>Sie haben den Arbeitsbereich verlassen. Die Projekte sind jetzt private Kopien.</translation>
    </message>
    <message>
        <source>This computer is in no workspace.</source>
        <translation>Dieser Computer ist in keinem Arbeitsbereich.</translation>
    </message>
    <message>
        <source>Create or join one in Settings, Team sync.</source>
        <translation>Legen Sie unter Einstellungen, Teamabgleich einen an, oder treten Sie einem bei.</translation>
    </message>
    <message>
        <source>The file could not be written: {why}.</source>
        <translation>Die Datei konnte nicht geschrieben werden: {why}.</translation>
    </message>
    <message>
        <source>Operation not permitted</source>
        <translation>Vorgang nicht erlaubt</translation>
    </message>
    <message>
        <source>No such file or directory</source>
        <translation>Datei oder Verzeichnis nicht gefunden</translation>
    </message>
    <message>
        <source>Input/output error</source>
        <translation>Ein-/Ausgabefehler</translation>
    </message>
    <message>
        <source>Cannot allocate memory</source>
        <translation>Nicht genug Arbeitsspeicher</translation>
    </message>
    <message>
        <source>Permission denied</source>
        <translation>Keine Berechtigung</translation>
    </message>
    <message>
        <source>Device or resource busy</source>
        <translation>Gerät oder Ressource belegt</translation>
    </message>
    <message>
        <source>File exists</source>
        <translation>Datei existiert bereits</translation>
    </message>
    <message>
        <source>Not a directory</source>
        <translation>Kein Verzeichnis</translation>
    </message>
    <message>
        <source>Is a directory</source>
        <translation>Ist ein Verzeichnis</translation>
    </message>
    <message>
        <source>Invalid argument</source>
        <translation>Ungültiges Argument</translation>
    </message>
    <message>
        <source>Too many open files</source>
        <translation>Zu viele offene Dateien</translation>
    </message>
    <message>
        <source>File too large</source>
        <translation>Datei zu groß</translation>
    </message>
    <message>
        <source>No space left on device</source>
        <translation>Kein Speicherplatz mehr auf dem Gerät</translation>
    </message>
    <message>
        <source>Read-only file system</source>
        <translation>Schreibgeschütztes Dateisystem</translation>
    </message>
    <message>
        <source>Broken pipe</source>
        <translation>Unterbrochene Pipe</translation>
    </message>
    <message>
        <source>File name too long</source>
        <translation>Dateiname zu lang</translation>
    </message>
    <message>
        <source>Directory not empty</source>
        <translation>Verzeichnis nicht leer</translation>
    </message>
    <message>
        <source>Too many levels of symbolic links</source>
        <translation>Zu viele symbolische Links hintereinander</translation>
    </message>
    <message>
        <source>Disk quota exceeded</source>
        <translation>Plattenkontingent überschritten</translation>
    </message>
    <message>
        <source>Address already in use</source>
        <translation>Adresse wird bereits benutzt</translation>
    </message>
    <message>
        <source>Cannot assign requested address</source>
        <translation>Adresse kann nicht zugewiesen werden</translation>
    </message>
    <message>
        <source>Network is unreachable</source>
        <translation>Netzwerk nicht erreichbar</translation>
    </message>
    <message>
        <source>No route to host</source>
        <translation>Kein Weg zum Server</translation>
    </message>
    <message>
        <source>Connection refused</source>
        <translation>Verbindung abgelehnt</translation>
    </message>
    <message>
        <source>Connection reset by peer</source>
        <translation>Verbindung vom Gegenüber beendet</translation>
    </message>
    <message>
        <source>Connection timed out</source>
        <translation>Zeitüberschreitung der Verbindung</translation>
    </message>
    <message>
        <source>the system refused</source>
        <translation>das System hat es abgelehnt</translation>
    </message>
    <message>
        <source>The code is still shown here.</source>
        <translation>Der Code steht noch hier.</translation>
    </message>
    <message>
        <source>Choose another folder, or copy the code.</source>
        <translation>Wählen Sie einen anderen Ordner, oder kopieren Sie den Code.</translation>
    </message>
    <message>
        <source>The workspace “{name}” is ready.</source>
        <translation>Der Arbeitsbereich „{name}“ ist bereit.</translation>
    </message>
    <message>
        <source>You are in “{name}”.</source>
        <translation>Sie sind in „{name}“.</translation>
    </message>
    <message>
        <source>{name} cannot be read as an invitation.</source>
        <translation>{name} kann nicht als Einladung gelesen werden.</translation>
    </message>
    <message>
        <source>Ask for the code as text.</source>
        <translation>Bitten Sie um den Code als Text.</translation>
    </message>
    <message>
        <source>You are in “{name}” as {member}. What is shared with you comes in now.</source>
        <translation>Sie sind als {member} in „{name}“. Was mit Ihnen geteilt ist, kommt jetzt an.</translation>
    </message>
    <message>
        <source>Opening the file of keys…</source>
        <translation>Die Schlüsseldatei wird geöffnet…</translation>
    </message>
    <message>
        <source>“{name}” and {more} more of “{workspace}” have arrived.</source>
        <translation>„{name}“ und {more} weitere von „{workspace}“ sind angekommen.</translation>
    </message>
    <message>
        <source>“{name}” of “{workspace}” has arrived.</source>
        <translation>„{name}“ von „{workspace}“ ist angekommen.</translation>
    </message>
    <message>
        <source>This computer now uses {address} for “{name}”.</source>
        <translation>Dieser Computer verwendet für „{name}“ jetzt {address}.</translation>
    </message>
    <message>
        <source>To share a project, create a workspace or join one first.</source>
        <translation>Um ein Projekt zu teilen, legen Sie zuerst einen Arbeitsbereich an, oder treten Sie einem bei.</translation>
    </message>
    <message>
        <source>“{name}” is shared. The line below the threads shows how much has been sent.</source>
        <translation>„{name}“ ist geteilt. Die Zeile unter den Unterhaltungen zeigt, wie viel schon gesendet ist.</translation>
    </message>
    <message>
        <source>That project is no longer shared.</source>
        <translation>Dieses Projekt ist nicht mehr geteilt.</translation>
    </message>
    <message>
        <source>“{name}” is a private project on this computer now.</source>
        <translation>„{name}“ ist auf diesem Computer jetzt ein privates Projekt.</translation>
    </message>
    <message>
        <source>Try again in a while.</source>
        <translation>Versuchen Sie es später erneut.</translation>
    </message>
    <message>
        <source>This is nested too deeply.</source>
        <translation>Das ist zu tief verschachtelt.</translation>
    </message>
    <message>
        <source>This is not valid JSON in line {number}.</source>
        <translation>Das ist in Zeile {number} kein gültiges JSON.</translation>
    </message>
    <message>
        <source>This is not valid JSON.</source>
        <translation>Das ist kein gültiges JSON.</translation>
    </message>
    <message>
        <source>Arguments are a JSON object: { … }.</source>
        <translation>Argumente sind ein JSON-Objekt: { … }.</translation>
    </message>
    <message>
        <source>1 of {count}</source>
        <translation>1 von {count}</translation>
    </message>
    <message>
        <source>Review proposed changes</source>
        <translation>Vorgeschlagene Änderungen prüfen</translation>
    </message>
    <message>
        <source>Review the proposed change</source>
        <translation>Vorgeschlagene Änderung prüfen</translation>
    </message>
    <message>
        <source>File</source>
        <translation>Datei</translation>
    </message>
    <message>
        <source>Reject</source>
        <translation>Ablehnen</translation>
    </message>
    <message>
        <source>Apply</source>
        <translation>Anwenden</translation>
    </message>
    <message numerus="yes">
        <source>{count} lines added, {removed} removed</source>
        <comment>{count} line added, {removed} removed</comment>
        <translation>
            <numerusform>{count} Zeile hinzugefügt, {removed} entfernt</numerusform>
            <numerusform>{count} Zeilen hinzugefügt, {removed} entfernt</numerusform>
        </translation>
    </message>
    <message>
        <source>This text has characters that hide, so it is edited in an editor.</source>
        <translation>Dieser Text enthält verborgene Zeichen und wird deshalb in einem Editor bearbeitet.</translation>
    </message>
    <message>
        <source>Difference</source>
        <translation>Unterschied</translation>
    </message>
    <message>
        <source>Applied: {path}</source>
        <translation>Angewendet: {path}</translation>
    </message>
    <message>
        <source>Rejected: {path}</source>
        <translation>Abgelehnt: {path}</translation>
    </message>
    <message>
        <source>Undone: {path}</source>
        <translation>Rückgängig: {path}</translation>
    </message>
    <message>
        <source>change a file</source>
        <translation>Datei ändern</translation>
    </message>
    <message>
        <source>This change was not proposed on this computer.</source>
        <translation>Diese Änderung wurde nicht auf diesem Computer vorgeschlagen.</translation>
    </message>
    <message>
        <source>This change is not applied.</source>
        <translation>Diese Änderung ist nicht angewendet.</translation>
    </message>
    <message>
        <source>This change is already applied.</source>
        <translation>Diese Änderung ist schon angewendet.</translation>
    </message>
    <message>
        <source>This change was rejected.</source>
        <translation>Diese Änderung wurde abgelehnt.</translation>
    </message>
    <message>
        <source>The file is no longer the one that this change was made from.</source>
        <translation>Die Datei ist nicht mehr dieselbe wie beim Entstehen dieser Änderung.</translation>
    </message>
    <message>
        <source>The file was changed after this change was applied.</source>
        <translation>Die Datei wurde geändert, nachdem diese Änderung angewendet worden war.</translation>
    </message>
    <message>
        <source>The project has no folder on this computer, or another one by now.</source>
        <translation>Das Projekt hat auf diesem Computer keinen Ordner, oder inzwischen einen anderen.</translation>
    </message>
    <message>
        <source>This change was not proposed on this computer, or too long ago.</source>
        <translation>Diese Änderung wurde nicht auf diesem Computer vorgeschlagen, oder vor zu langer Zeit.</translation>
    </message>
    <message>
        <source>Name a file.</source>
        <translation>Geben Sie eine Datei an.</translation>
    </message>
    <message>
        <source>This change is too large to review, or has lines that are too long.</source>
        <translation>Diese Änderung ist zu groß, um sie durchzusehen, oder hat zu lange Zeilen.</translation>
    </message>
    <message>
        <source>Propose it in smaller steps.</source>
        <translation>Schlagen Sie sie in kleineren Schritten vor.</translation>
    </message>
    <message>
        <source>The change could not be kept: {reason}.</source>
        <translation>Die Änderung konnte nicht aufbewahrt werden: {reason}.</translation>
    </message>
    <message>
        <source>No file was changed.</source>
        <translation>Es wurde keine Datei geändert.</translation>
    </message>
    <message>
        <source>The file has this text already.</source>
        <translation>Die Datei enthält diesen Text bereits.</translation>
    </message>
    <message>
        <source>The files that are kept of this change cannot be read or written.</source>
        <translation>Die zu dieser Änderung aufbewahrten Dateien können weder gelesen noch geschrieben werden.</translation>
    </message>
    <message>
        <source>Ask the model to propose it again.</source>
        <translation>Bitten Sie das Modell, sie noch einmal vorzuschlagen.</translation>
    </message>
    <message>
        <source>Ask the model to propose it here.</source>
        <translation>Bitten Sie das Modell, sie hier vorzuschlagen.</translation>
    </message>
    <message numerus="yes">
        <source>{count} tool servers</source>
        <comment>{count} tool server</comment>
        <translation>
            <numerusform>{count} Werkzeugserver</numerusform>
            <numerusform>{count} Werkzeugserver</numerusform>
        </translation>
    </message>
    <message>
        <source>Tools in this thread: {names}</source>
        <translation>Werkzeuge in dieser Unterhaltung: {names}</translation>
    </message>
    <message>
        <source>Folder: {folder}</source>
        <translation>Ordner: {folder}</translation>
    </message>
    <message>
        <source>As in the project</source>
        <translation>Wie im Projekt</translation>
    </message>
    <message>
        <source>Use these in the whole project</source>
        <translation>Diese im ganzen Projekt verwenden</translation>
    </message>
    <message>
        <source>Tool servers…</source>
        <translation>Werkzeugserver…</translation>
    </message>
    <message>
        <source>{name} of {server} waits for your approval: Ctrl+Shift+Y.</source>
        <translation>{name} von {server} wartet auf Ihre Zustimmung: Strg+Umschalt+Y.</translation>
    </message>
    <message>
        <source>{name} waits for your approval in another thread.</source>
        <translation>{name} wartet in einer anderen Unterhaltung auf Ihre Zustimmung.</translation>
    </message>
    <message>
        <source>Allow in this project</source>
        <translation>In diesem Projekt erlauben</translation>
    </message>
    <message>
        <source>Always allow</source>
        <translation>Immer erlauben</translation>
    </message>
    <message>
        <source>Allow in this thread</source>
        <translation>In dieser Unterhaltung erlauben</translation>
    </message>
    <message>
        <source>Allow in this thread, it only reads</source>
        <translation>In dieser Unterhaltung erlauben, es liest nur</translation>
    </message>
    <message>
        <source>Allow in this project, it only reads</source>
        <translation>In diesem Projekt erlauben, es liest nur</translation>
    </message>
    <message>
        <source>Always allow, it only reads</source>
        <translation>Immer erlauben, es liest nur</translation>
    </message>
    <message>
        <source>Deny</source>
        <translation>Ablehnen</translation>
    </message>
    <message>
        <source>Allow once</source>
        <translation>Einmal erlauben</translation>
    </message>
    <message>
        <source>Allow for longer…</source>
        <translation>Länger erlauben…</translation>
    </message>
    <message>
        <source>You say that it changes and sends nothing, so it also runs after text from outside.</source>
        <translation>Sie geben an, dass es nichts ändert und nichts sendet; es läuft deshalb auch nach Text von außen.</translation>
    </message>
    <message>
        <source>Run “{name}” of {server}?</source>
        <translation>„{name}“ von {server} ausführen?</translation>
    </message>
    <message>
        <source>{what}?</source>
        <translation>{what}?</translation>
    </message>
    <message>
        <source>Arguments of {name}</source>
        <translation>Argumente von {name}</translation>
    </message>
    <message numerus="yes">
        <source>{count} more characters are not shown, but would be sent.</source>
        <comment>{count} more character is not shown, but would be sent.</comment>
        <translation>
            <numerusform>{count} weiteres Zeichen wird nicht gezeigt, würde aber gesendet.</numerusform>
            <numerusform>{count} weitere Zeichen werden nicht gezeigt, würden aber gesendet.</numerusform>
        </translation>
    </message>
    <message>
        <source>Deny: {name} of {server}</source>
        <translation>Ablehnen: {name} von {server}</translation>
    </message>
    <message>
        <source>Allow once: {name} of {server}</source>
        <translation>Einmal erlauben: {name} von {server}</translation>
    </message>
    <message>
        <source>ChatDesk runs this itself. What it finds goes to the model that answers.</source>
        <translation>ChatDesk führt das selbst aus. Was es findet, geht an das Modell, das antwortet.</translation>
    </message>
    <message>
        <source>These arguments are sent to {where}</source>
        <translation>Diese Argumente gehen an {where}</translation>
    </message>
    <message>
        <source>These arguments are given to a program on this computer: {where}</source>
        <translation>Diese Argumente bekommt ein Programm auf diesem Computer: {where}</translation>
    </message>
    <message>
        <source>{server} asks you for something: Ctrl+Shift+Y.</source>
        <translation>{server} bittet Sie um etwas: Strg+Umschalt+Y.</translation>
    </message>
    <message>
        <source>{server} asks you for something in another thread.</source>
        <translation>{server} bittet Sie in einer anderen Unterhaltung um etwas.</translation>
    </message>
    <message>
        <source>User</source>
        <comment>role</comment>
        <translation>Benutzer</translation>
    </message>
    <message>
        <source>Decline</source>
        <translation>Ablehnen</translation>
    </message>
    <message>
        <source>{server} asks you for something</source>
        <translation>{server} bittet Sie um etwas</translation>
    </message>
    <message>
        <source>{server} wants you to open a page</source>
        <translation>{server} möchte, dass Sie eine Seite öffnen</translation>
    </message>
    <message>
        <source>Open in browser</source>
        <translation>Im Browser öffnen</translation>
    </message>
    <message>
        <source>{server} wants to ask {model}</source>
        <translation>{server} möchte {model} fragen</translation>
    </message>
    <message>
        <source>The whole question</source>
        <translation>Die ganze Frage</translation>
    </message>
    <message numerus="yes">
        <source>{names} look like secrets. {server} gets what you enter, as you enter it.</source>
        <comment>{names} looks like a secret. {server} gets what you enter, as you enter it.</comment>
        <translation>
            <numerusform>{names} sieht nach einem Geheimnis aus. {server} bekommt, was Sie eingeben, wie Sie es eingeben.</numerusform>
            <numerusform>{names} sehen nach Geheimnissen aus. {server} bekommt, was Sie eingeben, wie Sie es eingeben.</numerusform>
        </translation>
    </message>
    <message>
        <source>The server asks while “{tool}” runs.</source>
        <translation>Der Server fragt, während „{tool}“ läuft.</translation>
    </message>
    <message>
        <source>The server chose this page: check the address before you enter anything there.</source>
        <translation>Der Server hat diese Seite gewählt: Prüfen Sie die Adresse, bevor Sie dort etwas eingeben.</translation>
    </message>
    <message numerus="yes">
        <source>This costs you at most {count} tokens and counts towards your limits.</source>
        <comment>This costs you at most {count} token and counts towards your limits.</comment>
        <translation>
            <numerusform>Das kostet Sie höchstens {count} Token und zählt zu Ihren Limits.</numerusform>
            <numerusform>Das kostet Sie höchstens {count} Token und zählt zu Ihren Limits.</numerusform>
        </translation>
    </message>
    <message>
        <source>The answer is sent to {where}</source>
        <translation>Die Antwort geht an {where}</translation>
    </message>
    <message>
        <source>The answer is given to a program on this computer: {where}</source>
        <translation>Die Antwort bekommt ein Programm auf diesem Computer: {where}</translation>
    </message>
    <message>
        <source>What you enter is sent to {where}</source>
        <translation>Was Sie eingeben, geht an {where}</translation>
    </message>
    <message>
        <source>What you enter is given to a program on this computer: {where}</source>
        <translation>Was Sie eingeben, bekommt ein Programm auf diesem Computer: {where}</translation>
    </message>
    <message>
        <source>None: models only read pages</source>
        <translation>Keine: Modelle lesen nur Seiten</translation>
    </message>
    <message>
        <source>A server that asks other search engines: yours, or one whose owner lets programs search.</source>
        <translation>Ein Server, der andere Suchmaschinen fragt: Ihrer, oder einer, dessen Betreiber Programme suchen lässt.</translation>
    </message>
    <message>
        <source>A service. What is searched for goes there, with your key.</source>
        <translation>Ein Dienst. Wonach gesucht wird, geht dorthin, mit Ihrem Schlüssel.</translation>
    </message>
    <message>
        <source>Web search</source>
        <translation>Websuche</translation>
    </message>
    <message>
        <source>Search engine</source>
        <translation>Suchmaschine</translation>
    </message>
    <message>
        <source>Address of SearXNG</source>
        <translation>Adresse von SearXNG</translation>
    </message>
    <message>
        <source>{address} or {other}</source>
        <translation>{address} oder {other}</translation>
    </message>
    <message>
        <source>Test the search engine</source>
        <translation>Suchmaschine testen</translation>
    </message>
    <message>
        <source>A key is kept; type another to replace it</source>
        <translation>Ein Schlüssel ist gespeichert; geben Sie einen anderen ein, um ihn zu ersetzen</translation>
    </message>
    <message>
        <source>A key is kept. Type another to replace it.</source>
        <translation>Ein Schlüssel ist gespeichert. Geben Sie einen anderen ein, um ihn zu ersetzen.</translation>
    </message>
    <message>
        <source>Testing…</source>
        <translation>Wird getestet…</translation>
    </message>
    <message>
        <source>Saving…</source>
        <translation>Wird gespeichert…</translation>
    </message>
    <message>
        <source>Comes with ChatDesk. No search engine is chosen: models can only read pages.</source>
        <translation>Gehört zu ChatDesk. Keine Suchmaschine gewählt: Modelle können nur Seiten lesen.</translation>
    </message>
    <message>
        <source>Comes with ChatDesk. Searches with {engine} at {host}.</source>
        <translation>Gehört zu ChatDesk. Sucht mit {engine} bei {host}.</translation>
    </message>
    <message>
        <source>Comes with ChatDesk. Searches with {engine}.</source>
        <translation>Gehört zu ChatDesk. Sucht mit {engine}.</translation>
    </message>
    <message>
        <source>The program gets only these variables, the PATH and the places of your files. Secrets are kept with your keys.</source>
        <translation>Das Programm bekommt nur diese Variablen, den PATH und die Orte Ihrer Dateien. Geheimnisse liegen bei Ihren Schlüsseln.</translation>
    </message>
    <message>
        <source>Add a tool server</source>
        <translation>Werkzeugserver hinzufügen</translation>
    </message>
    <message>
        <source>Edit the tool server</source>
        <translation>Werkzeugserver bearbeiten</translation>
    </message>
    <message>
        <source>For example: Notes</source>
        <translation>Zum Beispiel: Notizen</translation>
    </message>
    <message>
        <source>Command or address</source>
        <translation>Befehl oder Adresse</translation>
    </message>
    <message>
        <source>Variables or headers</source>
        <translation>Variablen oder Header</translation>
    </message>
    <message>
        <source>Folder it runs in</source>
        <translation>Ordner, in dem es läuft</translation>
    </message>
    <message>
        <source>An empty folder of its own</source>
        <translation>Ein eigener leerer Ordner</translation>
    </message>
    <message>
        <source>Client ID</source>
        <translation>Client-ID</translation>
    </message>
    <message>
        <source>Empty: ChatDesk registers itself</source>
        <translation>Leer: ChatDesk registriert sich selbst</translation>
    </message>
    <message>
        <source>Client secret</source>
        <translation>Client-Geheimnis</translation>
    </message>
    <message>
        <source>Empty: none</source>
        <translation>Leer: keines</translation>
    </message>
    <message>
        <source>Unchanged</source>
        <translation>Unverändert</translation>
    </message>
    <message>
        <source>You can also paste the JSON of Claude Desktop, Cursor, VS Code or LM Studio here.</source>
        <translation>Sie können hier auch das JSON von Claude Desktop, Cursor, VS Code oder LM Studio einfügen.</translation>
    </message>
    <message>
        <source>Variables, or headers of an address, a line each</source>
        <translation>Variablen, oder Header einer Adresse, je Zeile eine</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>Ordner</translation>
    </message>
    <message>
        <source>File of the project</source>
        <translation>Datei des Projekts</translation>
    </message>
    <message>
        <source>Client ID, if you registered one to sign in with</source>
        <translation>Client-ID, wenn Sie zum Anmelden eine registriert haben</translation>
    </message>
    <message>
        <source>Filled in from the description of “{name}”.</source>
        <translation>Aus der Beschreibung von „{name}“ ausgefüllt.</translation>
    </message>
    <message>
        <source>Still to be filled in: {missing}.</source>
        <translation>Noch auszufüllen: {missing}.</translation>
    </message>
    <message numerus="yes">
        <source>Once it is saved, {count} more servers follow.</source>
        <comment>Once it is saved, {count} more server follows.</comment>
        <translation>
            <numerusform>Sobald er gespeichert ist, folgt noch {count} Server.</numerusform>
            <numerusform>Sobald er gespeichert ist, folgen noch {count} Server.</numerusform>
        </translation>
    </message>
    <message>
        <source>Give it a name.</source>
        <translation>Geben Sie ihm einen Namen.</translation>
    </message>
    <message>
        <source>Enter the command that starts it, or its address.</source>
        <translation>Geben Sie den Befehl ein, der ihn startet, oder seine Adresse.</translation>
    </message>
    <message>
        <source>A quotation mark of the command is not closed.</source>
        <translation>Ein Anführungszeichen des Befehls ist nicht geschlossen.</translation>
    </message>
    <message>
        <source>Write each line as NAME=value, not “{line}”.</source>
        <translation>Schreiben Sie jede Zeile als NAME=wert, nicht „{line}“.</translation>
    </message>
    <message>
        <source>{name} asks you to sign in: Ctrl+Shift+Y.</source>
        <translation>{name} bittet Sie um Anmeldung: Strg+Umschalt+Y.</translation>
    </message>
    <message>
        <source>Asking where to sign in…</source>
        <translation>Es wird gefragt, wo man sich anmeldet…</translation>
    </message>
    <message>
        <source>Signed in. Ask again to use its tools.</source>
        <translation>Angemeldet. Fragen Sie erneut, um die Werkzeuge zu verwenden.</translation>
    </message>
    <message>
        <source>Sign in…</source>
        <translation>Anmelden…</translation>
    </message>
    <message>
        <source>{name} asks you to sign in</source>
        <translation>{name} bittet Sie um Anmeldung</translation>
    </message>
    <message>
        <source>The tools of {address} are left out until you have signed in.</source>
        <translation>Die Werkzeuge von {address} bleiben weg, bis Sie sich angemeldet haben.</translation>
    </message>
    <message>
        <source>Sign in at {host} in your browser, within five minutes.</source>
        <translation>Melden Sie sich in Ihrem Browser bei {host} an, innerhalb von fünf Minuten.</translation>
    </message>
    <message>
        <source>Signed out here. The server was not told, or cannot withdraw a sign-in: end it in your account there.</source>
        <translation>Hier abgemeldet. Der Server wurde nicht benachrichtigt, oder er kann eine Anmeldung nicht zurücknehmen: Beenden Sie sie dort in Ihrem Konto.</translation>
    </message>
    <message>
        <source>Signing out…</source>
        <translation>Abmeldung läuft…</translation>
    </message>
    <message>
        <source>It did not ask you to sign in.</source>
        <translation>Er hat keine Anmeldung verlangt.</translation>
    </message>
    <message>
        <source>Remove {name}?</source>
        <translation>{name} entfernen?</translation>
    </message>
    <message>
        <source>Its tools are gone from all threads, with its secrets and what you allowed. Threads keep what it answered.</source>
        <translation>Die Werkzeuge verschwinden aus allen Unterhaltungen, mit den Geheimnissen und dem, was Sie erlaubt haben. Unterhaltungen behalten die Antworten.</translation>
    </message>
    <message>
        <source>What models can use to read files, search and act. Nothing runs before you allow it.</source>
        <translation>Womit Modelle Dateien lesen, suchen und handeln können. Nichts läuft, bevor Sie es erlauben.</translation>
    </message>
    <message>
        <source>No other server is set up.</source>
        <translation>Es ist kein anderer Server eingerichtet.</translation>
    </message>
    <message>
        <source>ChatDesk asks about every call.</source>
        <translation>ChatDesk fragt bei jedem Aufruf.</translation>
    </message>
    <message>
        <source>Found</source>
        <translation>Gefunden</translation>
    </message>
    <message>
        <source>Started</source>
        <translation>Gestartet</translation>
    </message>
    <message>
        <source>Speaks the protocol</source>
        <translation>Spricht das Protokoll</translation>
    </message>
    <message>
        <source>Lists its tools</source>
        <translation>Listet seine Werkzeuge auf</translation>
    </message>
    <message>
        <source>in one project</source>
        <translation>in einem Projekt</translation>
    </message>
    <message>
        <source>see and change what ChatDesk remembers</source>
        <translation>ansehen und ändern, was ChatDesk sich merkt</translation>
    </message>
    <message>
        <source>list the facts that are remembered</source>
        <translation>die gemerkten Fakten auflisten</translation>
    </message>
    <message>
        <source>remember a fact</source>
        <translation>einen Fakt merken</translation>
    </message>
    <message>
        <source>change the words of a memory</source>
        <translation>den Wortlaut einer Erinnerung ändern</translation>
    </message>
    <message>
        <source>delete memories for good</source>
        <translation>Erinnerungen endgültig löschen</translation>
    </message>
    <message>
        <source>write all memories to a JSON file</source>
        <translation>alle Erinnerungen in eine JSON-Datei schreiben</translation>
    </message>
    <message>
        <source>its id, as listed</source>
        <translation>ihre Kennung, wie aufgelistet</translation>
    </message>
    <message>
        <source>one sentence</source>
        <translation>ein Satz</translation>
    </message>
    <message>
        <source>only for this project, by its name or id</source>
        <translation>nur für dieses Projekt, nach Name oder Kennung</translation>
    </message>
    <message>
        <source>ids, as listed</source>
        <translation>Kennungen, wie aufgelistet</translation>
    </message>
    <message>
        <source>all memories</source>
        <translation>alle Erinnerungen</translation>
    </message>
    <message>
        <source>the file to write</source>
        <translation>die Zieldatei</translation>
    </message>
    <message>
        <source>Name the memories to delete, or --all.</source>
        <translation>Geben Sie die Erinnerungen an, die gelöscht werden sollen, oder --all.</translation>
    </message>
    <message>
        <source>Change the memories in its window, or close it first.</source>
        <translation>Ändern Sie die Erinnerungen im Fenster, oder schließen Sie es zuerst.</translation>
    </message>
    <message>
        <source>everywhere</source>
        <translation>überall</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent.</source>
        <translation>Das Gedächtnis ist aus: Es wird nichts behalten oder gesendet.</translation>
    </message>
    <message>
        <source>This was remembered already.</source>
        <translation>Das war schon gemerkt.</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories deleted</source>
        <comment>{count} memory deleted</comment>
        <translation>
            <numerusform>{count} Erinnerung gelöscht</numerusform>
            <numerusform>{count} Erinnerungen gelöscht</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} memories written</source>
        <comment>{count} memory written</comment>
        <translation>
            <numerusform>{count} Erinnerung geschrieben</numerusform>
            <numerusform>{count} Erinnerungen geschrieben</numerusform>
        </translation>
    </message>
    <message>
        <source>in one project, also after text from outside</source>
        <translation>in einem Projekt, auch nach Text von außen</translation>
    </message>
    <message>
        <source>everywhere, also after text from outside</source>
        <translation>überall, auch nach Text von außen</translation>
    </message>
    <message>
        <source>Add server…</source>
        <translation>Server hinzufügen…</translation>
    </message>
    <message>
        <source>Allowed without asking</source>
        <translation>Ohne Rückfrage erlaubt</translation>
    </message>
    <message>
        <source>{tool} of {server}</source>
        <translation>{tool} von {server}</translation>
    </message>
    <message>
        <source>{scope} · since {when}</source>
        <translation>{scope} · seit {when}</translation>
    </message>
    <message>
        <source>Ask again</source>
        <translation>Wieder fragen</translation>
    </message>
    <message>
        <source>Models can look things up in your earlier threads.</source>
        <translation>Modelle können in Ihren früheren Unterhaltungen nachsehen.</translation>
    </message>
    <message>
        <source>Ask again about {title}</source>
        <translation>Wieder nach {title} fragen</translation>
    </message>
    <message>
        <source>Search engine…</source>
        <translation>Suchmaschine…</translation>
    </message>
    <message>
        <source>It wrote: {tail}</source>
        <translation>Es schrieb: {tail}</translation>
    </message>
    <message>
        <source>Models can read the files of a project&apos;s folder, and propose changes to them.</source>
        <translation>Modelle können die Dateien im Ordner eines Projekts lesen und Änderungen daran vorschlagen.</translation>
    </message>
    <message>
        <source>in one thread</source>
        <translation>in einer Unterhaltung</translation>
    </message>
    <message>
        <source>in one thread, also after text from outside</source>
        <translation>in einer Unterhaltung, auch nach Text von außen</translation>
    </message>
    <message>
        <source>May ask your model for an answer, if you agree each time</source>
        <translation>Darf Ihr Modell um eine Antwort bitten, wenn Sie jedes Mal zustimmen</translation>
    </message>
    <message>
        <source>Sign out</source>
        <translation>Abmelden</translation>
    </message>
    <message>
        <source>Sign out of {name}</source>
        <translation>Von {name} abmelden</translation>
    </message>
    <message>
        <source>Sign in to {name}</source>
        <translation>Bei {name} anmelden</translation>
    </message>
    <message>
        <source>Test {name}</source>
        <translation>{name} testen</translation>
    </message>
    <message>
        <source>Edit {name}</source>
        <translation>{name} bearbeiten</translation>
    </message>
    <message>
        <source>Choose the search engine</source>
        <translation>Suchmaschine wählen</translation>
    </message>
    <message numerus="yes">
        <source>{count} tools</source>
        <comment>{count} tool</comment>
        <translation>
            <numerusform>{count} Werkzeug</numerusform>
            <numerusform>{count} Werkzeuge</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Running, {count} tools</source>
        <comment>Running, {count} tool</comment>
        <translation>
            <numerusform>Läuft, {count} Werkzeug</numerusform>
            <numerusform>Läuft, {count} Werkzeuge</numerusform>
        </translation>
    </message>
    <message>
        <source>It failed.</source>
        <translation>Es ist fehlgeschlagen.</translation>
    </message>
    <message>
        <source>Starts when it is needed</source>
        <translation>Startet, wenn er gebraucht wird</translation>
    </message>
    <message>
        <source>Markdown (*.md)</source>
        <translation>Markdown (*.md)</translation>
    </message>
    <message>
        <source>Web page (*.html)</source>
        <translation>Webseite (*.html)</translation>
    </message>
    <message>
        <source>PDF (*.pdf)</source>
        <translation>PDF (*.pdf)</translation>
    </message>
    <message>
        <source>ChatDesk&apos;s JSON with attachments (*.zip);;ChatDesk&apos;s JSON (*.json)</source>
        <translation>JSON von ChatDesk mit Anhängen (*.zip);;JSON von ChatDesk (*.json)</translation>
    </message>
    <message>
        <source>The project</source>
        <translation>Das Projekt</translation>
    </message>
    <message numerus="yes">
        <source>These {count} threads</source>
        <comment>This thread</comment>
        <translation>
            <numerusform>Diese Unterhaltung</numerusform>
            <numerusform>Diese {count} Unterhaltungen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The thread has {count} messages, too many for the clipboard. Export it instead.</source>
        <comment>The thread has {count} message, too many for the clipboard. Export it instead.</comment>
        <translation>
            <numerusform>Die Unterhaltung hat {count} Nachricht, zu viel für die Zwischenablage. Exportieren Sie sie stattdessen.</numerusform>
            <numerusform>Die Unterhaltung hat {count} Nachrichten, zu viele für die Zwischenablage. Exportieren Sie sie stattdessen.</numerusform>
        </translation>
    </message>
    <message>
        <source>The thread is in the clipboard, as Markdown</source>
        <translation>Die Unterhaltung ist als Markdown in der Zwischenablage</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>Exportieren</translation>
    </message>
    <message>
        <source>Folder to export into</source>
        <translation>Zielordner des Exports</translation>
    </message>
    <message>
        <source>The export was cancelled; nothing was left behind.</source>
        <translation>Der Export wurde abgebrochen; es blieb nichts zurück.</translation>
    </message>
    <message>
        <source>Exporting</source>
        <translation>Wird exportiert</translation>
    </message>
    <message>
        <source>Reading…</source>
        <translation>Wird gelesen…</translation>
    </message>
    <message numerus="yes">
        <source>{done} of {count} messages</source>
        <comment>{done} of {count} message</comment>
        <translation>
            <numerusform>{done} von {count} Nachricht</numerusform>
            <numerusform>{done} von {count} Nachrichten</numerusform>
        </translation>
    </message>
    <message>
        <source>For editors and notes. One file a thread, attachments in a folder beside it.</source>
        <translation>Für Editoren und Notizen. Eine Datei je Unterhaltung, Anhänge in einem Ordner daneben.</translation>
    </message>
    <message>
        <source>Web page</source>
        <translation>Webseite</translation>
    </message>
    <message>
        <source>One file with everything in it, to read and to print.</source>
        <translation>Eine Datei mit allem darin, zum Lesen und Drucken.</translation>
    </message>
    <message>
        <source>For paper and for sending on.</source>
        <translation>Zum Drucken und Weitergeben.</translation>
    </message>
    <message>
        <source>JSON with attachments (zip)</source>
        <translation>JSON mit Anhängen (ZIP)</translation>
    </message>
    <message>
        <source>Everything, other versions too. ChatDesk can import it again.</source>
        <translation>Alles, auch andere Versionen. ChatDesk kann es wieder importieren.</translation>
    </message>
    <message>
        <source>What to export</source>
        <translation>Was exportiert wird</translation>
    </message>
    <message>
        <source>Include the trash</source>
        <translation>Mit Papierkorb</translation>
    </message>
    <message>
        <source>Choose where…</source>
        <translation>Ort wählen…</translation>
    </message>
    <message>
        <source>In ChatGPT open Settings, Data controls, and choose Export data. A link to a zip file comes by e-mail. Choose that file here, as it is.</source>
        <translation>Öffnen Sie in ChatGPT Einstellungen, Datenkontrollen, und wählen Sie Daten exportieren. Sie bekommen per E-Mail einen Link zu einer ZIP-Datei. Wählen Sie diese Datei unverändert hier.</translation>
    </message>
    <message>
        <source>In Claude open Settings, Privacy, and choose Export data. A link to a zip file comes by e-mail. Choose that file here, as it is.</source>
        <translation>Öffnen Sie in Claude Einstellungen, Datenschutz, und wählen Sie Daten exportieren. Sie bekommen per E-Mail einen Link zu einer ZIP-Datei. Wählen Sie diese Datei unverändert hier.</translation>
    </message>
    <message>
        <source>In Google Takeout choose My Activity alone, in it Gemini Apps alone, and JSON as the format. A link to a zip file comes by e-mail. Choose that file here, as it is.</source>
        <translation>Wählen Sie in Google Takeout nur Meine Aktivitäten, darin nur Gemini-Apps, und JSON als Format. Sie bekommen per E-Mail einen Link zu einer ZIP-Datei. Wählen Sie diese Datei unverändert hier.</translation>
    </message>
    <message>
        <source>In Open WebUI open Settings, Chats, and choose Export Chats. It saves a JSON file: choose it here.</source>
        <translation>Öffnen Sie in Open WebUI Einstellungen, Chats, und wählen Sie Chats exportieren. Es speichert eine JSON-Datei: Wählen Sie sie hier.</translation>
    </message>
    <message>
        <source>In LibreChat open a conversation, choose Export in its menu, and JSON as the format. Choose that file here.</source>
        <translation>Öffnen Sie in LibreChat ein Gespräch, wählen Sie in seinem Menü Exportieren und als Format JSON. Wählen Sie diese Datei hier.</translation>
    </message>
    <message>
        <source>In AnythingLLM open Settings, Admin, Workspace Chats, and choose Export, then JSON. Choose that file here. CSV and JSONL are read as well, with less in them.</source>
        <translation>Öffnen Sie in AnythingLLM Einstellungen, Admin, Workspace Chats, und wählen Sie Export, dann JSON. Wählen Sie diese Datei hier. CSV und JSONL werden auch gelesen, enthalten aber weniger.</translation>
    </message>
    <message>
        <source>In Chatbox open Settings, General, Data Backup. Tick Chat History and choose Export Selected Data. Choose that file here.</source>
        <translation>Öffnen Sie in Chatbox Einstellungen, Allgemein, Datensicherung. Haken Sie Chatverlauf an und wählen Sie Ausgewählte Daten exportieren. Wählen Sie diese Datei hier.</translation>
    </message>
    <message>
        <source>In Cherry Studio open Settings, Data Settings. Choose Export to Phone and export to a file; in older versions choose Backup. Choose that zip file here.</source>
        <translation>Öffnen Sie in Cherry Studio Einstellungen, Dateneinstellungen. Wählen Sie Export aufs Telefon und exportieren Sie in eine Datei; in älteren Versionen wählen Sie Backup. Wählen Sie diese ZIP-Datei hier.</translation>
    </message>
    <message>
        <source>In Jan open Settings, General, and show the data folder. Choose the folder “threads” in it here.</source>
        <translation>Öffnen Sie in Jan Einstellungen, Allgemein, und lassen Sie sich den Datenordner zeigen. Wählen Sie hier den Ordner „threads“ darin.</translation>
    </message>
    <message>
        <source>Choose the folder “conversations” here. It is in the folder “.lmstudio” of your home folder; LM Studio shows it when you choose Reveal in the menu of a chat.</source>
        <translation>Wählen Sie hier den Ordner „conversations“. Er liegt im Ordner „.lmstudio“ Ihres Benutzerordners; LM Studio zeigt ihn, wenn Sie im Menü eines Chats Reveal wählen.</translation>
    </message>
    <message>
        <source>In the other ChatDesk choose Export… in the menu of a thread, then Everything, and JSON. Choose that zip file here.</source>
        <translation>Wählen Sie im anderen ChatDesk Exportieren… im Menü einer Unterhaltung, dann Alles, und JSON. Wählen Sie diese ZIP-Datei hier.</translation>
    </message>
    <message>
        <source>Import or attach?</source>
        <translation>Importieren oder anhängen?</translation>
    </message>
    <message>
        <source>“{name}” looks like an export of chats. Import its threads, or attach the file to your message?</source>
        <translation>„{name}“ sieht nach einem Export von Chats aus. Die Unterhaltungen importieren oder die Datei an Ihre Nachricht hängen?</translation>
    </message>
    <message>
        <source>Import</source>
        <translation>Importieren</translation>
    </message>
    <message>
        <source>Attach</source>
        <translation>Anhängen</translation>
    </message>
    <message>
        <source>Report</source>
        <translation>Bericht</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories are kept</source>
        <comment>{count} memory is kept</comment>
        <translation>
            <numerusform>{count} Erinnerung ist gespeichert</numerusform>
            <numerusform>{count} Erinnerungen sind gespeichert</numerusform>
        </translation>
    </message>
    <message>
        <source>The report is in the clipboard</source>
        <translation>Der Bericht ist in der Zwischenablage</translation>
    </message>
    <message>
        <source>Exports (*.zip *.json *.jsonl *.csv);;All files (*)</source>
        <translation>Exporte (*.zip *.json *.jsonl *.csv);;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>One named after the program</source>
        <translation>Eines, das nach dem Programm heißt</translation>
    </message>
    <message>
        <source>Looking into the file…</source>
        <translation>Die Datei wird untersucht…</translation>
    </message>
    <message>
        <source>Import a folder</source>
        <translation>Ordner importieren</translation>
    </message>
    <message>
        <source>{name} is chosen. Import starts it.</source>
        <translation>{name} ist gewählt. Mit „Importieren“ geht es los.</translation>
    </message>
    <message>
        <source>Stopping…</source>
        <translation>Wird angehalten…</translation>
    </message>
    <message>
        <source>What is here already stays as it is, so a newer export of the same chats can be imported at any time.</source>
        <translation>Was schon hier ist, bleibt, wie es ist; ein neuerer Export derselben Chats kann also jederzeit importiert werden.</translation>
    </message>
    <message>
        <source>Import a file…</source>
        <translation>Datei importieren…</translation>
    </message>
    <message>
        <source>Import a folder…</source>
        <translation>Ordner importieren…</translation>
    </message>
    <message>
        <source>Project for the imported threads</source>
        <translation>Projekt für die importierten Unterhaltungen</translation>
    </message>
    <message>
        <source>Into project</source>
        <translation>In das Projekt</translation>
    </message>
    <message>
        <source>Program that the chats come from</source>
        <translation>Programm, aus dem die Chats kommen</translation>
    </message>
    <message>
        <source>Chats from</source>
        <translation>Chats aus</translation>
    </message>
    <message>
        <source>Open {program}</source>
        <translation>{program} öffnen</translation>
    </message>
    <message>
        <source>Progress of the import</source>
        <translation>Fortschritt des Imports</translation>
    </message>
    <message>
        <source>You can go on working: the import does not need this window. What is imported already stays if you stop.</source>
        <translation>Sie können weiterarbeiten: Der Import braucht dieses Fenster nicht. Was schon importiert ist, bleibt, wenn Sie anhalten.</translation>
    </message>
    <message>
        <source>Hide</source>
        <translation>Ausblenden</translation>
    </message>
    <message>
        <source>Result of each thread</source>
        <translation>Ergebnis jeder Unterhaltung</translation>
    </message>
    <message>
        <source>ChatDesk {version} is available.</source>
        <translation>ChatDesk {version} ist verfügbar.</translation>
    </message>
    <message>
        <source>This is ChatDesk {version}.</source>
        <translation>Das ist ChatDesk {version}.</translation>
    </message>
    <message>
        <source>Look now</source>
        <translation>Jetzt suchen</translation>
    </message>
    <message>
        <source>Open the page</source>
        <translation>Seite öffnen</translation>
    </message>
    <message>
        <source>ChatDesk {version} is the newest version.</source>
        <translation>ChatDesk {version} ist die neueste Version.</translation>
    </message>
    <message>
        <source>ChatDesk {new} is available; you have {version}.</source>
        <translation>ChatDesk {new} ist verfügbar; Sie haben {version}.</translation>
    </message>
    <message>
        <source>Looking for a new version…</source>
        <translation>Nach einer neuen Version wird gesucht…</translation>
    </message>
    <message>
        <source>Tokens a day</source>
        <translation>Token pro Tag</translation>
    </message>
    <message>
        <source>Tokens a month</source>
        <translation>Token pro Monat</translation>
    </message>
    <message>
        <source>Dollars a day</source>
        <translation>Dollar pro Tag</translation>
    </message>
    <message>
        <source>Dollars a month</source>
        <translation>Dollar pro Monat</translation>
    </message>
    <message>
        <source>At the warning you get one note a day, and titles and summaries wait. At the stop nothing more is sent: your question is kept, and you can send it anyway. A model without a price counts as free here. Messages have a rate, such as 20/min or 200/day: further ones wait their turn.</source>
        <translation>Bei der Warnung bekommen Sie einen Hinweis am Tag, und Titel und Zusammenfassungen warten. Beim Halt wird nichts mehr gesendet: Ihre Frage bleibt erhalten, und Sie können sie trotzdem senden. Ein Modell ohne Preis gilt hier als kostenlos. Nachrichten haben eine Rate, etwa 20/min oder 200/day: Weitere warten, bis sie an der Reihe sind.</translation>
    </message>
    <message>
        <source>Add a limit</source>
        <translation>Limit hinzufügen</translation>
    </message>
    <message>
        <source>Two rates apply to the same provider or project. Remove one of them.</source>
        <translation>Zwei Raten gelten für denselben Anbieter oder dasselbe Projekt. Entfernen Sie eine davon.</translation>
    </message>
    <message>
        <source>Remove limit {number}</source>
        <translation>Limit {number} entfernen</translation>
    </message>
    <message>
        <source>Warning at</source>
        <translation>Warnung bei</translation>
    </message>
    <message>
        <source>Stop at</source>
        <translation>Halt bei</translation>
    </message>
    <message>
        <source>At most</source>
        <translation>Höchstens</translation>
    </message>
    <message>
        <source>“{typed}” is not a rate ({where}): {why}.</source>
        <translation>„{typed}“ ist keine Rate ({where}): {why}.</translation>
    </message>
    <message>
        <source>Limit {number}, for</source>
        <translation>Limit {number}, für</translation>
    </message>
    <message>
        <source>Limit {number}, of</source>
        <translation>Limit {number}, von</translation>
    </message>
    <message>
        <source>Limit {number}, warning at</source>
        <translation>Limit {number}, Warnung bei</translation>
    </message>
    <message>
        <source>Limit {number}, stop at</source>
        <translation>Limit {number}, Halt bei</translation>
    </message>
    <message>
        <source>No warning</source>
        <translation>Keine Warnung</translation>
    </message>
    <message>
        <source>No stop</source>
        <translation>Kein Halt</translation>
    </message>
    <message>
        <source>“{typed}” is not a number ({where}). Write it as 100000 or 2.50.</source>
        <translation>„{typed}“ ist keine Zahl ({where}). Schreiben Sie sie als 100000 oder 2.50.</translation>
    </message>
    <message>
        <source>It is sent when the answer before it is complete.</source>
        <translation>Sie wird gesendet, wenn die Antwort davor vollständig ist.</translation>
    </message>
    <message>
        <source>The answer before it was not completed. Go to it to send it now.</source>
        <translation>Die Antwort davor wurde nicht vollständig. Gehen Sie zu ihr, um sie jetzt zu senden.</translation>
    </message>
    <message>
        <source>You are offline. It is sent when the connection is back.</source>
        <translation>Sie sind offline. Sie wird gesendet, sobald die Verbindung wieder da ist.</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages wait</source>
        <comment>{count} message waits</comment>
        <translation>
            <numerusform>{count} Nachricht wartet</numerusform>
            <numerusform>{count} Nachrichten warten</numerusform>
        </translation>
    </message>
    <message>
        <source>ChatDesk usage {first} to {last}.csv</source>
        <translation>ChatDesk-Nutzung {first} bis {last}.csv</translation>
    </message>
    <message>
        <source>Export usage</source>
        <translation>Nutzung exportieren</translation>
    </message>
    <message>
        <source>CSV (*.csv)</source>
        <translation>CSV (*.csv)</translation>
    </message>
    <message numerus="yes">
        <source>{count} lines were written to {name}</source>
        <comment>{count} line was written to {name}</comment>
        <translation>
            <numerusform>{count} Zeile wurde in {name} geschrieben</numerusform>
            <numerusform>{count} Zeilen wurden in {name} geschrieben</numerusform>
        </translation>
    </message>
    <message>
        <source>{amount} used</source>
        <translation>{amount} verbraucht</translation>
    </message>
    <message>
        <source>It is sent in a moment.</source>
        <translation>Sie wird gleich gesendet.</translation>
    </message>
    <message>
        <source>Waiting: sends at {clock}, {before} before it.</source>
        <translation>Wartet: wird um {clock} gesendet, {before} davor.</translation>
    </message>
    <message>
        <source>Waiting: sends at {clock}.</source>
        <translation>Wartet: wird um {clock} gesendet.</translation>
    </message>
    <message>
        <source>Waiting: it is sent automatically, {before} before it.</source>
        <translation>Wartet: wird von selbst gesendet, {before} davor.</translation>
    </message>
    <message>
        <source>Waiting: it is sent automatically.</source>
        <translation>Wartet: wird von selbst gesendet.</translation>
    </message>
    <message>
        <source>{time} on {day}</source>
        <translation>{time} am {day}</translation>
    </message>
    <message>
        <source>Waiting to be sent</source>
        <translation>Noch zu senden</translation>
    </message>
    <message>
        <source>Go to it</source>
        <translation>Dorthin gehen</translation>
    </message>
    <message>
        <source>Go to {about}</source>
        <translation>Gehe zu {about}</translation>
    </message>
    <message>
        <source>Send first</source>
        <translation>Zuerst senden</translation>
    </message>
    <message>
        <source>Send first: {about}</source>
        <translation>Zuerst senden: {about}</translation>
    </message>
    <message>
        <source>Cancel {about}</source>
        <translation>{about} abbrechen</translation>
    </message>
    <message>
        <source>Nothing waits.</source>
        <translation>Es wartet nichts.</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages wait. What is cancelled is not sent; the question is kept.</source>
        <comment>{count} message waits. What is cancelled is not sent; the question is kept.</comment>
        <translation>
            <numerusform>{count} Nachricht wartet. Was abgebrochen wird, wird nicht gesendet; die Frage bleibt erhalten.</numerusform>
            <numerusform>{count} Nachrichten warten. Was abgebrochen wird, wird nicht gesendet; die Frage bleibt erhalten.</numerusform>
        </translation>
    </message>
    <message>
        <source>{problem} Nothing was kept.</source>
        <translation>{problem} Es wurde nichts gespeichert.</translation>
    </message>
    <message>
        <source>{label} is kept. It cannot answer before it has a key.</source>
        <translation>{label} ist gespeichert. Es kann erst antworten, wenn es einen Schlüssel hat.</translation>
    </message>
    <message>
        <source>{label} is connected.</source>
        <translation>{label} ist verbunden.</translation>
    </message>
    <message>
        <source>{label} is connected. {model} answers.</source>
        <translation>{label} ist verbunden. {model} antwortet.</translation>
    </message>
    <message>
        <source>Paste the key of a provider, or choose a server of your own. It is tested before it is kept.</source>
        <translation>Fügen Sie den Schlüssel eines Anbieters ein, oder wählen Sie einen eigenen Server. Er wird vor dem Speichern getestet.</translation>
    </message>
    <message>
        <source>All providers…</source>
        <translation>Alle Anbieter…</translation>
    </message>
    <message>
        <source>Provider</source>
        <translation>Anbieter</translation>
    </message>
    <message>
        <source>Own server…</source>
        <translation>Eigener Server…</translation>
    </message>
    <message>
        <source>Address of the server</source>
        <translation>Adresse des Servers</translation>
    </message>
    <message>
        <source>Connect</source>
        <translation>Verbinden</translation>
    </message>
    <message>
        <source>Save without a test</source>
        <translation>Ohne Test speichern</translation>
    </message>
    <message>
        <source>Found on this computer:</source>
        <translation>Auf diesem Computer gefunden:</translation>
    </message>
    <message>
        <source>Use {label}, {models}</source>
        <translation>{label} verwenden, {models}</translation>
    </message>
    <message>
        <source>Found on this computer: {servers}</source>
        <translation>Auf diesem Computer gefunden: {servers}</translation>
    </message>
    <message>
        <source>Paste the key that {label} gave you.</source>
        <translation>Fügen Sie den Schlüssel ein, den Sie von {label} haben.</translation>
    </message>
    <message>
        <source>This is a key of {label}</source>
        <translation>Das ist ein Schlüssel von {label}</translation>
    </message>
    <message>
        <source>First steps</source>
        <translation>Erste Schritte</translation>
    </message>
    <message>
        <source>Take the tour</source>
        <translation>Rundgang</translation>
    </message>
    <message>
        <source>Welcome to ChatDesk</source>
        <translation>Willkommen bei ChatDesk</translation>
    </message>
    <message>
        <source>Connect a model to begin. Your chats stay on this computer.</source>
        <translation>Verbinden Sie ein Modell, um zu beginnen. Ihre Chats bleiben auf diesem Computer.</translation>
    </message>
    <message>
        <source>More…</source>
        <translation>Mehr…</translation>
    </message>
    <message>
        <source>Connect a provider</source>
        <translation>Anbieter verbinden</translation>
    </message>
    <message>
        <source>Import your chats</source>
        <translation>Ihre Chats importieren</translation>
    </message>
    <message>
        <source>Choose where they are now: the next page says how to get them out.</source>
        <translation>Wählen Sie, wo sie jetzt sind: Die nächste Seite erklärt, wie Sie sie exportieren.</translation>
    </message>
    <message>
        <source>Import from {program}</source>
        <translation>Aus {program} importieren</translation>
    </message>
    <message>
        <source>No account and no network: the demo model shows what ChatDesk can do.</source>
        <translation>Kein Konto und kein Netz: Das Demo-Modell zeigt, was ChatDesk kann.</translation>
    </message>
    <message>
        <source>What can ChatDesk do?</source>
        <translation>Was kann ChatDesk?</translation>
    </message>
    <message>
        <source>The provider of this model is gone. Choose another model at the top.</source>
        <translation>Den Anbieter dieses Modells gibt es nicht mehr. Wählen Sie oben ein anderes Modell.</translation>
    </message>
    <message>
        <source>{label} has no key yet, so it cannot answer. Put it into Settings, Providers, or choose another model at the top.</source>
        <translation>{label} hat noch keinen Schlüssel und kann deshalb nicht antworten. Legen Sie ihn unter Einstellungen, Anbieter ab, oder wählen Sie oben ein anderes Modell.</translation>
    </message>
    <message>
        <source>The demo model answers, without account or network. It shows what ChatDesk can do.</source>
        <translation>Das Demo-Modell antwortet, ohne Konto oder Netz. Es zeigt, was ChatDesk kann.</translation>
    </message>
    <message>
        <source>{who} answers. Choose another model at the top.</source>
        <translation>{who} antwortet. Oben wählen Sie ein anderes Modell.</translation>
    </message>
    <message>
        <source>Text of the artifact</source>
        <translation>Text des Artefakts</translation>
    </message>
    <message>
        <source>Ctrl+Enter saves a version, Esc leaves. Tab writes a tab.</source>
        <translation>Strg+Enter speichert eine Version, Esc beendet das Bearbeiten. Tab schreibt einen Tabulator.</translation>
    </message>
    <message numerus="yes">
        <source>{count} rows</source>
        <comment>{count} row</comment>
        <translation>
            <numerusform>{count} Zeile</numerusform>
            <numerusform>{count} Zeilen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} columns</source>
        <comment>{count} column</comment>
        <translation>
            <numerusform>{count} Spalte</numerusform>
            <numerusform>{count} Spalten</numerusform>
        </translation>
    </message>
    <message>
        <source>Ask for a change</source>
        <translation>Änderung anfordern</translation>
    </message>
    <message>
        <source>Save…</source>
        <translation>Speichern…</translation>
    </message>
    <message>
        <source>Show in the thread</source>
        <translation>In der Unterhaltung zeigen</translation>
    </message>
    <message>
        <source>Remove from the list</source>
        <translation>Aus der Liste entfernen</translation>
    </message>
    <message>
        <source>All artifacts</source>
        <translation>Alle Artefakte</translation>
    </message>
    <message>
        <source>Previous version of the artifact</source>
        <translation>Vorige Version des Artefakts</translation>
    </message>
    <message>
        <source>Next version of the artifact</source>
        <translation>Nächste Version des Artefakts</translation>
    </message>
    <message>
        <source>Source</source>
        <translation>Quelltext</translation>
    </message>
    <message>
        <source>Differences</source>
        <translation>Unterschiede</translation>
    </message>
    <message>
        <source>Save as version</source>
        <translation>Als Version speichern</translation>
    </message>
    <message>
        <source>{number} / {count}</source>
        <translation>{number} / {count}</translation>
    </message>
    <message>
        <source>Hide differences</source>
        <translation>Unterschiede ausblenden</translation>
    </message>
    <message>
        <source>Hide the differences</source>
        <translation>Die Unterschiede ausblenden</translation>
    </message>
    <message>
        <source>Show what changed since version {number}</source>
        <translation>Zeigen, was sich seit Version {number} geändert hat</translation>
    </message>
    <message>
        <source>Drawn</source>
        <translation>Vorschau</translation>
    </message>
    <message>
        <source>Show it drawn</source>
        <translation>Vorschau zeigen</translation>
    </message>
    <message>
        <source>Show its source</source>
        <translation>Quelltext zeigen</translation>
    </message>
    <message>
        <source>{name}, version {number} of {count}</source>
        <translation>{name}, Version {number} von {count}</translation>
    </message>
    <message>
        <source>A temporary chat keeps no artifacts, because they are stored on disk. Keep the chat to open some.</source>
        <translation>Ein temporärer Chat behält keine Artefakte, weil sie auf dem Datenträger gespeichert werden. Behalten Sie den Chat, um welche zu öffnen.</translation>
    </message>
    <message>
        <source>This thread has no artifacts yet. Files of its messages are listed here, and so is code that you open: code of 15 lines or more has “Open as artifact”, in its header and in the menu of its message.</source>
        <translation>Diese Unterhaltung hat noch keine Artefakte. Dateien ihrer Nachrichten stehen hier, und auch Code, den Sie öffnen: Code mit 15 Zeilen oder mehr hat „Als Artefakt öffnen“, in seiner Kopfzeile und im Menü seiner Nachricht.</translation>
    </message>
    <message>
        <source>Artifacts of this thread</source>
        <translation>Artefakte dieser Unterhaltung</translation>
    </message>
    <message numerus="yes">
        <source>{count} versions</source>
        <comment>{count} version</comment>
        <translation>
            <numerusform>{count} Version</numerusform>
            <numerusform>{count} Versionen</numerusform>
        </translation>
    </message>
    <message>
        <source>edited by you</source>
        <translation>von Ihnen bearbeitet</translation>
    </message>
    <message>
        <source>proposed change to a file</source>
        <translation>vorgeschlagene Dateiänderung</translation>
    </message>
    <message>
        <source>from the tool {tool}</source>
        <translation>vom Werkzeug {tool}</translation>
    </message>
    <message>
        <source>attached to a question</source>
        <translation>an eine Frage gehängt</translation>
    </message>
    <message>
        <source>from a question</source>
        <translation>aus einer Frage</translation>
    </message>
    <message>
        <source>from an answer</source>
        <translation>aus einer Antwort</translation>
    </message>
    <message>
        <source>sent</source>
        <translation>gesendet</translation>
    </message>
    <message>
        <source>in the summary</source>
        <translation>in der Zusammenfassung</translation>
    </message>
    <message>
        <source>excluded</source>
        <translation>ausgenommen</translation>
    </message>
    <message>
        <source>did not fit</source>
        <translation>passte nicht</translation>
    </message>
    <message>
        <source>empty</source>
        <translation>leer</translation>
    </message>
    <message>
        <source>user</source>
        <translation>Benutzer</translation>
    </message>
    <message>
        <source>assistant</source>
        <translation>Assistent</translation>
    </message>
    <message>
        <source>system</source>
        <translation>System</translation>
    </message>
    <message>
        <source>tool</source>
        <translation>Werkzeug</translation>
    </message>
    <message>
        <source>before the start of the context</source>
        <translation>vor dem Anfang des Kontexts</translation>
    </message>
    <message>
        <source>What the model will see</source>
        <translation>Was das Modell sehen wird</translation>
    </message>
    <message>
        <source>What happens to each message</source>
        <translation>Was mit jeder Nachricht geschieht</translation>
    </message>
    <message>
        <source>Pin</source>
        <translation>Festhalten</translation>
    </message>
    <message>
        <source>Exclude</source>
        <translation>Ausnehmen</translation>
    </message>
    <message>
        <source>Start here</source>
        <translation>Hier beginnen</translation>
    </message>
    <message>
        <source>Copy request as JSON</source>
        <translation>Anfrage als JSON kopieren</translation>
    </message>
    <message>
        <source>Nothing yet: ask something.</source>
        <translation>Noch nichts: Fragen Sie etwas.</translation>
    </message>
    <message>
        <source>Unpin</source>
        <translation>Lösen</translation>
    </message>
    <message>
        <source>Include</source>
        <translation>Aufnehmen</translation>
    </message>
    <message>
        <source>Start at the top</source>
        <translation>Oben beginnen</translation>
    </message>
    <message>
        <source>(no text)</source>
        <translation>(kein Text)</translation>
    </message>
    <message>
        <source>{about}: {text}</source>
        <translation>{about}: {text}</translation>
    </message>
    <message>
        <source>about {used} of {window} tokens · {model}</source>
        <translation>etwa {used} von {window} Token · {model}</translation>
    </message>
    <message>
        <source>{used} of {window} tokens · {model}</source>
        <translation>{used} von {window} Token · {model}</translation>
    </message>
    <message>
        <source>pinned</source>
        <translation>festgehalten</translation>
    </message>
    <message numerus="yes">
        <source>{count} did not fit</source>
        <comment>{count} did not fit</comment>
        <translation>
            <numerusform>{count} passte nicht</numerusform>
            <numerusform>{count} passten nicht</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} excluded</source>
        <comment>{count} excluded</comment>
        <translation>
            <numerusform>{count} ausgenommen</numerusform>
            <numerusform>{count} ausgenommen</numerusform>
        </translation>
    </message>
    <message>
        <source>older messages are left out from where you started</source>
        <translation>Nachrichten vor dem von Ihnen gewählten Anfang sind weggelassen</translation>
    </message>
    <message>
        <source>the summary is out of date and not sent</source>
        <translation>die Zusammenfassung ist veraltet und wird nicht gesendet</translation>
    </message>
    <message>
        <source>{part}: {tokens}</source>
        <translation>{part}: {tokens}</translation>
    </message>
    <message>
        <source>Memories</source>
        <translation>Erinnerungen</translation>
    </message>
    <message numerus="yes">
        <source>Summary of {count} messages</source>
        <comment>Summary of {count} message</comment>
        <translation>
            <numerusform>Zusammenfassung von {count} Nachricht</numerusform>
            <numerusform>Zusammenfassung von {count} Nachrichten</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Pinned · {count} messages</source>
        <comment>Pinned · {count} message</comment>
        <translation>
            <numerusform>Festgehalten · {count} Nachricht</numerusform>
            <numerusform>Festgehalten · {count} Nachrichten</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Recent · {count} messages</source>
        <comment>Recent · {count} message</comment>
        <translation>
            <numerusform>Neueste · {count} Nachricht</numerusform>
            <numerusform>Neueste · {count} Nachrichten</numerusform>
        </translation>
    </message>
    <message>
        <source>Your draft</source>
        <translation>Ihr Entwurf</translation>
    </message>
    <message>
        <source>Room for the answer</source>
        <translation>Platz für die Antwort</translation>
    </message>
    <message>
        <source>Inspector</source>
        <translation>Inspektor</translation>
    </message>
    <message>
        <source>Inspector tabs</source>
        <translation>Registerkarten des Inspektors</translation>
    </message>
    <message>
        <source>Close the inspector</source>
        <translation>Inspektor schließen</translation>
    </message>
    <message>
        <source>Filter the questions</source>
        <translation>Fragen filtern</translation>
    </message>
    <message numerus="yes">
        <source>{count} questions</source>
        <comment>{count} question</comment>
        <translation>
            <numerusform>{count} Frage</numerusform>
            <numerusform>{count} Fragen</numerusform>
        </translation>
    </message>
    <message>
        <source>Reading the thread…</source>
        <translation>Die Unterhaltung wird gelesen…</translation>
    </message>
    <message>
        <source>No question contains these words.</source>
        <translation>Keine Frage enthält diese Wörter.</translation>
    </message>
    <message>
        <source>No question has been asked yet.</source>
        <translation>Noch wurde keine Frage gestellt.</translation>
    </message>
    <message numerus="yes">
        <source>about {count} tokens</source>
        <comment>about {count} token</comment>
        <translation>
            <numerusform>etwa {count} Token</numerusform>
            <numerusform>etwa {count} Token</numerusform>
        </translation>
    </message>
    <message>
        <source>one of its messages was edited</source>
        <translation>eine ihrer Nachrichten wurde bearbeitet</translation>
    </message>
    <message>
        <source>one of its messages was deleted</source>
        <translation>eine ihrer Nachrichten wurde gelöscht</translation>
    </message>
    <message>
        <source>another version of one of its messages is shown</source>
        <translation>eine andere Version einer ihrer Nachrichten wird gezeigt</translation>
    </message>
    <message>
        <source>one of its messages was excluded</source>
        <translation>eine ihrer Nachrichten wurde ausgenommen</translation>
    </message>
    <message>
        <source>Question</source>
        <translation>Frage</translation>
    </message>
    <message>
        <source>Tool result</source>
        <translation>Werkzeugergebnis</translation>
    </message>
    <message>
        <source>Text of the summary</source>
        <translation>Text der Zusammenfassung</translation>
    </message>
    <message>
        <source>Kept word for word, a line each</source>
        <translation>Wörtlich behalten, je Zeile eines</translation>
    </message>
    <message>
        <source>Facts that are kept word for word, a line each</source>
        <translation>Fakten, die wörtlich behalten werden, je Zeile einer</translation>
    </message>
    <message>
        <source>Summarise this thread</source>
        <translation>Diese Unterhaltung zusammenfassen</translation>
    </message>
    <message>
        <source>Summarise threads of this project</source>
        <translation>Unterhaltungen dieses Projekts zusammenfassen</translation>
    </message>
    <message>
        <source>Do not send</source>
        <translation>Nicht senden</translation>
    </message>
    <message>
        <source>First source</source>
        <translation>Erste Quelle</translation>
    </message>
    <message>
        <source>Last source</source>
        <translation>Letzte Quelle</translation>
    </message>
    <message>
        <source>There is no summary yet: it is made when the context fills.</source>
        <translation>Es gibt noch keine Zusammenfassung: Sie entsteht, wenn sich der Kontext füllt.</translation>
    </message>
    <message>
        <source>Save the summary</source>
        <translation>Zusammenfassung speichern</translation>
    </message>
    <message>
        <source>Edit the summary</source>
        <translation>Zusammenfassung bearbeiten</translation>
    </message>
    <message>
        <source>Send again</source>
        <translation>Wieder senden</translation>
    </message>
    <message numerus="yes">
        <source>Made from {count} messages</source>
        <comment>Made from {count} message</comment>
        <translation>
            <numerusform>Aus {count} Nachricht erstellt</numerusform>
            <numerusform>Aus {count} Nachrichten erstellt</numerusform>
        </translation>
    </message>
    <message>
        <source>a model</source>
        <translation>einem Modell</translation>
    </message>
    <message numerus="yes">
        <source>Version {version}, by {who}, {when}: {count} messages in {tokens} tokens.</source>
        <comment>Version {version}, by {who}, {when}: {count} message in {tokens} tokens.</comment>
        <translation>
            <numerusform>Version {version}, von {who}, {when}: {count} Nachricht in {tokens} Token.</numerusform>
            <numerusform>Version {version}, von {who}, {when}: {count} Nachrichten in {tokens} Token.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Making it took {count} tokens.</source>
        <comment>Making it took {count} token.</comment>
        <translation>
            <numerusform>Das Erstellen brauchte {count} Token.</numerusform>
            <numerusform>Das Erstellen brauchte {count} Token.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Making it took {count} tokens ({price}).</source>
        <comment>Making it took {count} token ({price}).</comment>
        <translation>
            <numerusform>Das Erstellen brauchte {count} Token ({price}).</numerusform>
            <numerusform>Das Erstellen brauchte {count} Token ({price}).</numerusform>
        </translation>
    </message>
    <message>
        <source>Summaries are switched off in Settings, Context, for all threads.</source>
        <translation>Zusammenfassungen sind unter Einstellungen, Kontext für alle Unterhaltungen ausgeschaltet.</translation>
    </message>
    <message>
        <source>No thread of this project is summarised.</source>
        <translation>Keine Unterhaltung dieses Projekts wird zusammengefasst.</translation>
    </message>
    <message>
        <source>Today&apos;s limit for titles and summaries is reached. Summaries are made again tomorrow.</source>
        <translation>Das heutige Limit für Titel und Zusammenfassungen ist erreicht. Morgen werden wieder Zusammenfassungen erstellt.</translation>
    </message>
    <message>
        <source>Some of its messages are gone for good, so it is not sent.</source>
        <translation>Einige ihrer Nachrichten wurden endgültig gelöscht, deshalb wird sie nicht gesendet.</translation>
    </message>
    <message>
        <source>It is not sent: you switched it off. Another one is made only when you redo it.</source>
        <translation>Sie wird nicht gesendet: Sie haben sie ausgeschaltet. Eine andere entsteht nur, wenn Sie sie neu erstellen.</translation>
    </message>
    <message>
        <source>It is out of date and not sent: {why}. Redo it to have it sent again.</source>
        <translation>Sie ist veraltet und wird nicht gesendet: {why}. Erstellen Sie sie neu, damit sie wieder gesendet wird.</translation>
    </message>
    <message>
        <source>It is out of date and not sent. Redo it to have it sent again.</source>
        <translation>Sie ist veraltet und wird nicht gesendet. Erstellen Sie sie neu, damit sie wieder gesendet wird.</translation>
    </message>
    <message>
        <source>Messages that the summary is made from</source>
        <translation>Nachrichten, aus denen die Zusammenfassung besteht</translation>
    </message>
    <message>
        <source>All versions of this thread</source>
        <translation>Alle Versionen dieser Unterhaltung</translation>
    </message>
    <message>
        <source>{what} of {model}</source>
        <translation>{what} von {model}</translation>
    </message>
    <message>
        <source>version {number} of {count}</source>
        <translation>Version {number} von {count}</translation>
    </message>
    <message>
        <source>removed for good</source>
        <translation>endgültig entfernt</translation>
    </message>
    <message>
        <source>shown</source>
        <translation>gezeigt</translation>
    </message>
    <message>
        <source>{number}k</source>
        <translation>{number}k</translation>
    </message>
    <message>
        <source>{number}M</source>
        <translation>{number}M</translation>
    </message>
    <message>
        <source>at least {cost}</source>
        <translation>mindestens {cost}</translation>
    </message>
    <message>
        <source>no price is known</source>
        <translation>kein Preis bekannt</translation>
    </message>
    <message>
        <source>In</source>
        <translation>Eingabe</translation>
    </message>
    <message>
        <source>Cached</source>
        <translation>Cache</translation>
    </message>
    <message>
        <source>Of them from the provider&apos;s cache</source>
        <translation>Davon aus dem Cache des Anbieters</translation>
    </message>
    <message>
        <source>Out</source>
        <translation>Ausgabe</translation>
    </message>
    <message>
        <source>Thought</source>
        <translation>Gedacht</translation>
    </message>
    <message>
        <source>Of them for reasoning</source>
        <translation>Davon zum Nachdenken</translation>
    </message>
    <message>
        <source>Cost</source>
        <translation>Kosten</translation>
    </message>
    <message>
        <source>What this thread used</source>
        <translation>Verbrauch dieser Unterhaltung</translation>
    </message>
    <message>
        <source>Add prices…</source>
        <translation>Preise hinzufügen…</translation>
    </message>
    <message>
        <source>Total</source>
        <translation>Gesamt</translation>
    </message>
    <message>
        <source>{line}, {column}: {value}</source>
        <translation>{line}, {column}: {value}</translation>
    </message>
    <message>
        <source>Tokens and cost by kind of work and model</source>
        <translation>Token und Kosten nach Art der Arbeit und Modell</translation>
    </message>
    <message numerus="yes">
        <source>{count} requests</source>
        <comment>{count} request</comment>
        <translation>
            <numerusform>{count} Anfrage</numerusform>
            <numerusform>{count} Anfragen</numerusform>
        </translation>
    </message>
    <message>
        <source>{tokens} in {requests}.</source>
        <translation>{tokens} in {requests}.</translation>
    </message>
    <message>
        <source>{tokens} in {requests}, {cost}.</source>
        <translation>{tokens} in {requests}, {cost}.</translation>
    </message>
    <message numerus="yes">
        <source>The tokens of {count} requests are estimates: the server did not count them.</source>
        <comment>The tokens of {count} request are estimates: the server did not count them.</comment>
        <translation>
            <numerusform>Die Token von {count} Anfrage sind geschätzt: Der Server hat sie nicht gezählt.</numerusform>
            <numerusform>Die Token von {count} Anfragen sind geschätzt: Der Server hat sie nicht gezählt.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens were stored in the provider&apos;s cache.</source>
        <comment>{count} token was stored in the provider&apos;s cache.</comment>
        <translation>
            <numerusform>{count} Token wurde im Cache des Anbieters abgelegt.</numerusform>
            <numerusform>{count} Token wurden im Cache des Anbieters abgelegt.</numerusform>
        </translation>
    </message>
    <message>
        <source>No price is known for {models}. The cost leaves it out.</source>
        <translation>Für {models} ist kein Preis bekannt. In den Kosten ist das nicht enthalten.</translation>
    </message>
    <message>
        <source>{month} {year}</source>
        <translation>{month} {year}</translation>
    </message>
    <message>
        <source>{day} {month}</source>
        <translation>{day}. {month}</translation>
    </message>
    <message>
        <source>{day} {month} {year}</source>
        <translation>{day}. {month} {year}</translation>
    </message>
    <message>
        <source>{day}, {time}</source>
        <translation>{day}, {time}</translation>
    </message>
    <message>
        <source>under {amount}</source>
        <translation>unter {amount}</translation>
    </message>
    <message>
        <source>${amount}</source>
        <translation>{amount}&#xa0;$</translation>
    </message>
    <message>
        <source>in threads with a tag</source>
        <translation>in Unterhaltungen mit einem Schlagwort</translation>
    </message>
    <message>
        <source>written by you or by the model</source>
        <translation>von Ihnen oder vom Modell geschrieben</translation>
    </message>
    <message>
        <source>answered by a model</source>
        <translation>von einem Modell beantwortet</translation>
    </message>
    <message>
        <source>before a day: 2026-05-01, yesterday, 7d</source>
        <translation>vor einem Tag: 2026-05-01, yesterday, 7d</translation>
    </message>
    <message>
        <source>from a day on: 2026-05-01, yesterday, 7d</source>
        <translation>ab einem Tag: 2026-05-01, yesterday, 7d</translation>
    </message>
    <message>
        <source>with code, an image or a file</source>
        <translation>mit Code, einem Bild oder einer Datei</translation>
    </message>
    <message>
        <source>pinned, archived or trashed</source>
        <translation>angeheftet, archiviert oder im Papierkorb</translation>
    </message>
    <message>
        <source>Narrow with project: tag: role: model: before: after: has: is: and leave out with -word. &gt; lists commands.</source>
        <translation>Eingrenzen mit project: tag: role: model: before: after: has: is: und weglassen mit -wort. &gt; zeigt Befehle.</translation>
    </message>
    <message>
        <source>No command matches.</source>
        <translation>Kein Befehl passt.</translation>
    </message>
    <message>
        <source>Filters</source>
        <translation>Filter</translation>
    </message>
    <message>
        <source>Filter {filter}</source>
        <translation>Filter {filter}</translation>
    </message>
    <message>
        <source>Commands</source>
        <translation>Befehle</translation>
    </message>
    <message>
        <source>Search everything</source>
        <translation>Alles durchsuchen</translation>
    </message>
    <message>
        <source>Results are below: up and down choose, Tab goes to the next group</source>
        <translation>Ergebnisse stehen unten: Pfeil nach oben und unten wählen, Tab geht zur nächsten Gruppe</translation>
    </message>
    <message>
        <source>Search messages, threads, files and commands</source>
        <translation>Nachrichten, Unterhaltungen, Dateien und Befehle suchen</translation>
    </message>
    <message>
        <source>Results</source>
        <translation>Ergebnisse</translation>
    </message>
    <message>
        <source>{found}. First: {row}</source>
        <extracomment>Spoken after a search: how much was found, and the first result, which Enter opens.</extracomment>
        <translation>{found}. Erstes Ergebnis: {row}</translation>
    </message>
    <message>
        <source>More messages…</source>
        <translation>Mehr Nachrichten…</translation>
    </message>
    <message>
        <source>More threads…</source>
        <translation>Mehr Unterhaltungen…</translation>
    </message>
    <message>
        <source>More projects…</source>
        <translation>Mehr Projekte…</translation>
    </message>
    <message>
        <source>More tags…</source>
        <translation>Mehr Schlagwörter…</translation>
    </message>
    <message>
        <source>More files…</source>
        <translation>Mehr Dateien…</translation>
    </message>
    <message numerus="yes">
        <source>{count} tags</source>
        <comment>{count} tag</comment>
        <translation>
            <numerusform>{count} Schlagwort</numerusform>
            <numerusform>{count} Schlagwörter</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} files</source>
        <comment>{count} file</comment>
        <translation>
            <numerusform>{count} Datei</numerusform>
            <numerusform>{count} Dateien</numerusform>
        </translation>
    </message>
    <message>
        <source>Tool</source>
        <translation>Werkzeug</translation>
    </message>
    <message>
        <source>Recent threads</source>
        <translation>Letzte Unterhaltungen</translation>
    </message>
    <message>
        <source>more than {found}</source>
        <translation>mehr als {found}</translation>
    </message>
    <message numerus="yes">
        <source>{count} commands</source>
        <comment>{count} command</comment>
        <translation>
            <numerusform>{count} Befehl</numerusform>
            <numerusform>{count} Befehle</numerusform>
        </translation>
    </message>
    <message>
        <source>today</source>
        <translation>heute</translation>
    </message>
    <message>
        <source>yesterday</source>
        <translation>gestern</translation>
    </message>
    <message>
        <source>All results for “{query}”</source>
        <translation>Alle Ergebnisse für „{query}“</translation>
    </message>
    <message>
        <source>archived</source>
        <translation>archiviert</translation>
    </message>
    <message>
        <source>another version</source>
        <translation>andere Version</translation>
    </message>
    <message>
        <source>{what}, in {thread}</source>
        <translation>{what}, in {thread}</translation>
    </message>
    <message>
        <source>thread {name}</source>
        <translation>Unterhaltung {name}</translation>
    </message>
    <message>
        <source>project {name}</source>
        <translation>Projekt {name}</translation>
    </message>
    <message>
        <source>tag {name}</source>
        <translation>Schlagwort {name}</translation>
    </message>
    <message>
        <source>file {name}</source>
        <translation>Datei {name}</translation>
    </message>
    <message numerus="yes">
        <source>more than {count} found in {took} ms</source>
        <comment>more than {count} found in {took} ms</comment>
        <translation>
            <numerusform>mehr als {count} in {took} ms gefunden</numerusform>
            <numerusform>mehr als {count} in {took} ms gefunden</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} found in {took} ms</source>
        <comment>{count} found in {took} ms</comment>
        <translation>
            <numerusform>{count} in {took} ms gefunden</numerusform>
            <numerusform>{count} in {took} ms gefunden</numerusform>
        </translation>
    </message>
    <message>
        <source>more than {count} found</source>
        <translation>mehr als {count} gefunden</translation>
    </message>
    <message numerus="yes">
        <source>{count} found</source>
        <comment>{count} found</comment>
        <translation>
            <numerusform>{count} gefunden</numerusform>
            <numerusform>{count} gefunden</numerusform>
        </translation>
    </message>
    <message>
        <source>Opens the list of what waits</source>
        <translation>Öffnet die Liste der wartenden Nachrichten</translation>
    </message>
    <message>
        <source>Temporary chat, not stored</source>
        <translation>Temporärer Chat, nicht gespeichert</translation>
    </message>
    <message>
        <source>Opens the temporary chat</source>
        <translation>Öffnet den temporären Chat</translation>
    </message>
    <message>
        <source>{title} (temporary: nothing is stored)</source>
        <translation>{title} (temporär: es wird nichts gespeichert)</translation>
    </message>
    <message>
        <source>Sync</source>
        <translation>Abgleich</translation>
    </message>
    <message>
        <source>Opens the details of sync</source>
        <translation>Öffnet die Details des Abgleichs</translation>
    </message>
    <message numerus="yes">
        <source>{title}, project folder, {count} threads</source>
        <comment>{title}, project folder, {count} thread</comment>
        <translation>
            <numerusform>{title}, Projektordner, {count} Unterhaltung</numerusform>
            <numerusform>{title}, Projektordner, {count} Unterhaltungen</numerusform>
        </translation>
    </message>
    <message>
        <source>By name</source>
        <translation>Nach Name</translation>
    </message>
    <message>
        <source>Unknown time</source>
        <translation>Unbekannte Zeit</translation>
    </message>
    <message>
        <source>Today</source>
        <translation>Heute</translation>
    </message>
    <message>
        <source>Yesterday</source>
        <translation>Gestern</translation>
    </message>
    <message>
        <source>Previous 7 days</source>
        <translation>Letzte 7 Tage</translation>
    </message>
    <message>
        <source>Pinned</source>
        <comment>heading</comment>
        <translation>Angeheftet</translation>
    </message>
    <message numerus="yes">
        <source>{count} days left</source>
        <comment>{count} day left</comment>
        <translation>
            <numerusform>noch {count} Tag</numerusform>
            <numerusform>noch {count} Tage</numerusform>
        </translation>
    </message>
    <message>
        <source>today {time}</source>
        <translation>heute {time}</translation>
    </message>
    <message>
        <source>Load the list of threads again</source>
        <translation>Liste der Unterhaltungen neu laden</translation>
    </message>
    <message>
        <source>Loading threads…</source>
        <translation>Unterhaltungen werden geladen…</translation>
    </message>
    <message>
        <source>Trash</source>
        <translation>Papierkorb</translation>
    </message>
    <message>
        <source>You can only read this project</source>
        <translation>Sie können dieses Projekt nur lesen</translation>
    </message>
    <message numerus="yes">
        <source>Mark {count} threads as read</source>
        <comment>Mark {count} thread as read</comment>
        <translation>
            <numerusform>{count} Unterhaltung als gelesen markieren</numerusform>
            <numerusform>{count} Unterhaltungen als gelesen markieren</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Move {count} threads to a project…</source>
        <comment>Move {count} thread to a project…</comment>
        <translation>
            <numerusform>{count} Unterhaltung in ein Projekt verschieben…</numerusform>
            <numerusform>{count} Unterhaltungen in ein Projekt verschieben…</numerusform>
        </translation>
    </message>
    <message>
        <source>Tags…</source>
        <translation>Schlagwörter…</translation>
    </message>
    <message numerus="yes">
        <source>Export {count} threads…</source>
        <comment>Export {count} thread…</comment>
        <translation>
            <numerusform>{count} Unterhaltung exportieren…</numerusform>
            <numerusform>{count} Unterhaltungen exportieren…</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads</source>
        <comment>Delete {count} thread</comment>
        <translation>
            <numerusform>{count} Unterhaltung löschen</numerusform>
            <numerusform>{count} Unterhaltungen löschen</numerusform>
        </translation>
    </message>
    <message>
        <source>Sort by last activity</source>
        <translation>Nach letzter Aktivität ordnen</translation>
    </message>
    <message>
        <source>Sort by name</source>
        <translation>Nach Name ordnen</translation>
    </message>
    <message>
        <source>Group by date</source>
        <translation>Nach Datum gruppieren</translation>
    </message>
    <message>
        <source>Group by project</source>
        <translation>Nach Projekt gruppieren</translation>
    </message>
    <message>
        <source>Show one tag</source>
        <translation>Ein Schlagwort zeigen</translation>
    </message>
    <message>
        <source>All threads</source>
        <translation>Alle Unterhaltungen</translation>
    </message>
    <message>
        <source>Delete for good…</source>
        <translation>Endgültig löschen…</translation>
    </message>
    <message numerus="yes">
        <source>Restore {count} threads</source>
        <comment>Restore {count} thread</comment>
        <translation>
            <numerusform>{count} Unterhaltung wiederherstellen</numerusform>
            <numerusform>{count} Unterhaltungen wiederherstellen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads for good…</source>
        <comment>Delete {count} thread for good…</comment>
        <translation>
            <numerusform>{count} Unterhaltung endgültig löschen…</numerusform>
            <numerusform>{count} Unterhaltungen endgültig löschen…</numerusform>
        </translation>
    </message>
    <message>
        <source>Unpin</source>
        <comment>thread</comment>
        <translation>Lösen</translation>
    </message>
    <message>
        <source>Pin</source>
        <comment>thread</comment>
        <translation>Anheften</translation>
    </message>
    <message numerus="yes">
        <source>Unpin {count} threads</source>
        <comment>Unpin {count} thread</comment>
        <translation>
            <numerusform>{count} Unterhaltung lösen</numerusform>
            <numerusform>{count} Unterhaltungen lösen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Pin {count} threads</source>
        <comment>Pin {count} thread</comment>
        <translation>
            <numerusform>{count} Unterhaltung anheften</numerusform>
            <numerusform>{count} Unterhaltungen anheften</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Move {count} threads out of the archive</source>
        <comment>Move {count} thread out of the archive</comment>
        <translation>
            <numerusform>{count} Unterhaltung aus dem Archiv holen</numerusform>
            <numerusform>{count} Unterhaltungen aus dem Archiv holen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Archive {count} threads</source>
        <comment>Archive {count} thread</comment>
        <translation>
            <numerusform>{count} Unterhaltung archivieren</numerusform>
            <numerusform>{count} Unterhaltungen archivieren</numerusform>
        </translation>
    </message>
    <message>
        <source>Project {name}, {shared}</source>
        <translation>Projekt {name}, {shared}</translation>
    </message>
    <message>
        <source>Opens the list of projects</source>
        <translation>Öffnet die Liste der Projekte</translation>
    </message>
    <message>
        <source>deleted {when}</source>
        <translation>gelöscht {when}</translation>
    </message>
    <message numerus="yes">
        <source>{count} unread</source>
        <comment>{count} unread</comment>
        <translation>
            <numerusform>{count} ungelesen</numerusform>
            <numerusform>{count} ungelesen</numerusform>
        </translation>
    </message>
    <message>
        <source>tagged {tags}</source>
        <translation>Schlagwörter {tags}</translation>
    </message>
    <message>
        <source>pinned</source>
        <comment>thread</comment>
        <translation>angeheftet</translation>
    </message>
    <message>
        <source>answer is being written</source>
        <translation>Antwort wird geschrieben</translation>
    </message>
    <message>
        <source>Marked threads</source>
        <translation>Markierte Unterhaltungen</translation>
    </message>
    <message>
        <source>Mark nothing</source>
        <translation>Markierung aufheben</translation>
    </message>
    <message numerus="yes">
        <source>{count} marked</source>
        <comment>{count} marked</comment>
        <translation>
            <numerusform>{count} markiert</numerusform>
            <numerusform>{count} markiert</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads are marked</source>
        <comment>{count} thread is marked</comment>
        <translation>
            <numerusform>{count} Unterhaltung ist markiert</numerusform>
            <numerusform>{count} Unterhaltungen sind markiert</numerusform>
        </translation>
    </message>
    <message>
        <source>Sidebar</source>
        <translation>Seitenleiste</translation>
    </message>
    <message>
        <source>New thread (Ctrl+N)</source>
        <translation>Neue Unterhaltung (Strg+N)</translation>
    </message>
    <message>
        <source>Settings (Ctrl+,)</source>
        <translation>Einstellungen (Strg+,)</translation>
    </message>
    <message>
        <source>Threads, archive or trash</source>
        <translation>Unterhaltungen, Archiv oder Papierkorb</translation>
    </message>
    <message>
        <source>Opening…</source>
        <translation>Wird geöffnet…</translation>
    </message>
    <message>
        <source>Status: {text}</source>
        <translation>Status: {text}</translation>
    </message>
    <message>
        <source>{what}: {text}</source>
        <translation>{what}: {text}</translation>
    </message>
    <message>
        <source>Title of the thread</source>
        <translation>Titel der Unterhaltung</translation>
    </message>
    <message>
        <source>No thread here has the tag “{tag}”.</source>
        <translation>Keine Unterhaltung hier hat das Schlagwort „{tag}“.</translation>
    </message>
    <message>
        <source>Nothing is archived.</source>
        <translation>Es ist nichts archiviert.</translation>
    </message>
    <message numerus="yes">
        <source>No thread is in the trash. Deleted threads and messages stay here for {count} days.</source>
        <comment>No thread is in the trash. Deleted threads and messages stay here for {count} day.</comment>
        <translation>
            <numerusform>Keine Unterhaltung liegt im Papierkorb. Gelöschte Unterhaltungen und Nachrichten bleiben {count} Tag hier.</numerusform>
            <numerusform>Keine Unterhaltung liegt im Papierkorb. Gelöschte Unterhaltungen und Nachrichten bleiben {count} Tage hier.</numerusform>
        </translation>
    </message>
    <message>
        <source>No threads in this project yet. Type a question to begin the first.</source>
        <translation>Noch keine Unterhaltungen in diesem Projekt. Stellen Sie eine Frage, um die erste zu beginnen.</translation>
    </message>
    <message>
        <source>No threads yet. Type a question to begin the first.</source>
        <translation>Noch keine Unterhaltungen. Stellen Sie eine Frage, um die erste zu beginnen.</translation>
    </message>
    <message>
        <source>{list} · back to threads</source>
        <translation>{list} · zurück zu den Unterhaltungen</translation>
    </message>
    <message>
        <source>{list} with “{tag}” · show all</source>
        <translation>{list} mit „{tag}“ · alle zeigen</translation>
    </message>
    <message>
        <source>{name}. {remark}</source>
        <translation>{name}. {remark}</translation>
    </message>
    <message>
        <source>Image</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>Diagram</source>
        <translation>Diagramm</translation>
    </message>
    <message>
        <source>Attached: {file}</source>
        <translation>Angehängt: {file}</translation>
    </message>
    <message>
        <source>New messages begin here</source>
        <translation>Hier beginnen neue Nachrichten</translation>
    </message>
    <message>
        <source>Message tools</source>
        <translation>Werkzeuge der Nachricht</translation>
    </message>
    <message>
        <source>Formula {text}</source>
        <translation>Formel {text}</translation>
    </message>
    <message>
        <source>Heading level {level}</source>
        <translation>Überschrift der Ebene {level}</translation>
    </message>
    <message>
        <source>List level {level}</source>
        <translation>Liste der Ebene {level}</translation>
    </message>
    <message>
        <source>Not fetched, from {host}</source>
        <translation>Nicht abgerufen, von {host}</translation>
    </message>
    <message>
        <source>{column}: {words}</source>
        <translation>{column}: {words}</translation>
    </message>
    <message>
        <source>Column {column}</source>
        <translation>Spalte {column}</translation>
    </message>
    <message>
        <source>Row {number}, column {column}</source>
        <translation>Zeile {number}, Spalte {column}</translation>
    </message>
    <message>
        <source>Transcript</source>
        <translation>Verlauf</translation>
    </message>
    <message>
        <source>The first {most_messages} messages were copied.</source>
        <translation>Die ersten {most_messages} Nachrichten wurden kopiert.</translation>
    </message>
    <message>
        <source>{weekday}, {moment} {zone}</source>
        <translation>{weekday}, {moment} {zone}</translation>
    </message>
    <message>
        <source>{seconds} s</source>
        <translation>{seconds} s</translation>
    </message>
    <message>
        <source>{minutes} min {seconds} s</source>
        <translation>{minutes} min {seconds} s</translation>
    </message>
    <message>
        <source>It is not an image that can be shown.</source>
        <translation>Es ist kein Bild, das angezeigt werden kann.</translation>
    </message>
    <message>
        <source>It has too many pixels.</source>
        <translation>Es hat zu viele Pixel.</translation>
    </message>
    <message>
        <source>It is damaged or too large.</source>
        <translation>Es ist beschädigt oder zu groß.</translation>
    </message>
    <message>
        <source>The file is not there.</source>
        <translation>Die Datei wurde nicht gefunden.</translation>
    </message>
    <message>
        <source>It is larger than {limit} MB.</source>
        <translation>Sie ist größer als {limit} MB.</translation>
    </message>
    <message>
        <source>The file cannot be read.</source>
        <translation>Die Datei kann nicht gelesen werden.</translation>
    </message>
    <message>
        <source>Column {name}: Left and Right choose another, with Shift they change its width, Enter fits all columns again</source>
        <translation>Spalte {name}: Links und Rechts wählen eine andere, mit Umschalt ändern sie die Breite, Enter passt alle Spalten wieder ein</translation>
    </message>
    <message>
        <source>Previous match (Shift+Enter)</source>
        <translation>Voriger Treffer (Umschalt+Enter)</translation>
    </message>
    <message>
        <source>Next match (Enter)</source>
        <translation>Nächster Treffer (Enter)</translation>
    </message>
    <message>
        <source>Close (Esc)</source>
        <translation>Schließen (Esc)</translation>
    </message>
    <message>
        <source>{number} of {count}+</source>
        <translation>{number} von {count}+</translation>
    </message>
    <message>
        <source>{number} of {count}</source>
        <translation>{number} von {count}</translation>
    </message>
    <message>
        <source>{count}+ found</source>
        <translation>{count}+ gefunden</translation>
    </message>
    <message>
        <source>Match {place}</source>
        <translation>Treffer {place}</translation>
    </message>
    <message numerus="yes">
        <source>{count} found, match {place}</source>
        <comment>{count} found, match {place}</comment>
        <translation>
            <numerusform>{count} gefunden, Treffer {place}</numerusform>
            <numerusform>{count} gefunden, Treffer {place}</numerusform>
        </translation>
    </message>
    <message>
        <source>{action}: {reason}</source>
        <translation>{action}: {reason}</translation>
    </message>
    <message>
        <source>New file</source>
        <translation>Neue Datei</translation>
    </message>
    <message>
        <source>Change to a file</source>
        <translation>Änderung an einer Datei</translation>
    </message>
    <message>
        <source>Removal of a file</source>
        <translation>Entfernen einer Datei</translation>
    </message>
    <message>
        <source>Proposed</source>
        <translation>Vorgeschlagen</translation>
    </message>
    <message>
        <source>Applied</source>
        <translation>Angewendet</translation>
    </message>
    <message>
        <source>Rejected</source>
        <translation>Abgelehnt</translation>
    </message>
    <message>
        <source>Outdated: the file was changed since</source>
        <translation>Veraltet: Die Datei wurde seither geändert</translation>
    </message>
    <message>
        <source>Applied; the file was changed since</source>
        <translation>Angewendet; die Datei wurde seither geändert</translation>
    </message>
    <message>
        <source>The project has no such folder here</source>
        <translation>Das Projekt hat hier keinen solchen Ordner</translation>
    </message>
    <message>
        <source>Proposed elsewhere, so it cannot be applied here</source>
        <translation>Anderswo vorgeschlagen und deshalb hier nicht anwendbar</translation>
    </message>
    <message>
        <source>Edit the change to {file}</source>
        <translation>Änderung an {file} bearbeiten</translation>
    </message>
    <message>
        <source>Apply…</source>
        <translation>Anwenden…</translation>
    </message>
    <message>
        <source>Apply the change to {file}</source>
        <translation>Änderung an {file} anwenden</translation>
    </message>
    <message>
        <source>Reject the change to {file}</source>
        <translation>Änderung an {file} ablehnen</translation>
    </message>
    <message>
        <source>Undo the change to {file}</source>
        <translation>Änderung an {file} rückgängig machen</translation>
    </message>
    <message>
        <source>its beginning</source>
        <translation>ihr Anfang</translation>
    </message>
    <message>
        <source>Do not wrap lines</source>
        <translation>Zeilen nicht umbrechen</translation>
    </message>
    <message>
        <source>Wrap lines</source>
        <translation>Zeilen umbrechen</translation>
    </message>
    <message>
        <source>Open this page in your browser</source>
        <translation>Diese Seite in Ihrem Browser öffnen</translation>
    </message>
    <message numerus="yes">
        <source>Show all {count} lines</source>
        <comment>Show the {count} line</comment>
        <translation>
            <numerusform>Alle {count} Zeilen zeigen</numerusform>
            <numerusform>Alle {count} Zeilen zeigen</numerusform>
        </translation>
    </message>
    <message>
        <source>Show fewer lines</source>
        <translation>Weniger Zeilen zeigen</translation>
    </message>
    <message>
        <source>Copy code</source>
        <translation>Code kopieren</translation>
    </message>
    <message>
        <source>Save code…</source>
        <translation>Code speichern…</translation>
    </message>
    <message>
        <source>Open code as artifact</source>
        <translation>Code als Artefakt öffnen</translation>
    </message>
    <message>
        <source>Copy {language} code</source>
        <translation>{language}-Code kopieren</translation>
    </message>
    <message>
        <source>Save {language} code…</source>
        <translation>{language}-Code speichern…</translation>
    </message>
    <message>
        <source>Open {language} code as artifact</source>
        <translation>{language}-Code als Artefakt öffnen</translation>
    </message>
    <message>
        <source>Show picture</source>
        <translation>Bild zeigen</translation>
    </message>
    <message>
        <source>Show diagram</source>
        <translation>Diagramm zeigen</translation>
    </message>
    <message>
        <source>Show source</source>
        <translation>Quelltext zeigen</translation>
    </message>
    <message>
        <source>Markdown</source>
        <translation>Markdown</translation>
    </message>
    <message>
        <source>Document</source>
        <translation>Dokument</translation>
    </message>
    <message>
        <source>Slides</source>
        <translation>Folien</translation>
    </message>
    <message>
        <source>Book</source>
        <translation>Buch</translation>
    </message>
    <message>
        <source>Mail</source>
        <translation>E-Mail</translation>
    </message>
    <message>
        <source>Archive</source>
        <comment>file</comment>
        <translation>Archiv</translation>
    </message>
    <message>
        <source>is being fetched from the team</source>
        <translation>wird vom Team geholt</translation>
    </message>
    <message>
        <source>missing on the team&apos;s server; tried again later</source>
        <translation>fehlt auf dem Server des Teams; wird später erneut versucht</translation>
    </message>
    <message>
        <source>not sent</source>
        <translation>nicht gesendet</translation>
    </message>
    <message>
        <source>sent in part</source>
        <translation>zum Teil gesendet</translation>
    </message>
    <message>
        <source>Open {file}</source>
        <translation>{file} öffnen</translation>
    </message>
    <message>
        <source>Save a copy of {file}</source>
        <translation>Kopie von {file} speichern</translation>
    </message>
    <message>
        <source>Show in its folder: {file}</source>
        <translation>Im Ordner zeigen: {file}</translation>
    </message>
    <message>
        <source>Copy {file}</source>
        <translation>{file} kopieren</translation>
    </message>
    <message>
        <source>Open as artifact: {file}</source>
        <translation>Als Artefakt öffnen: {file}</translation>
    </message>
    <message>
        <source>{format} file</source>
        <translation>{format}-Datei</translation>
    </message>
    <message>
        <source>Hide {name}</source>
        <translation>{name} ausblenden</translation>
    </message>
    <message>
        <source>Show {name}</source>
        <translation>{name} einblenden</translation>
    </message>
    <message>
        <source>asked by {name}</source>
        <translation>Frage von {name}</translation>
    </message>
    <message>
        <source>Load image from {host}</source>
        <translation>Bild von {host} laden</translation>
    </message>
    <message>
        <source>Load image from {host} in your own network</source>
        <translation>Bild von {host} in Ihrem eigenen Netz laden</translation>
    </message>
    <message>
        <source>Load it anyway</source>
        <translation>Trotzdem laden</translation>
    </message>
    <message>
        <source>Load image</source>
        <translation>Bild laden</translation>
    </message>
    <message>
        <source>from {host}</source>
        <translation>von {host}</translation>
    </message>
    <message>
        <source>not shown</source>
        <translation>nicht gezeigt</translation>
    </message>
    <message numerus="yes">
        <source>Summary of {count} messages ends here · out of date and not sent · Show</source>
        <comment>Summary of {count} message ends here · out of date and not sent · Show</comment>
        <translation>
            <numerusform>Hier endet die Zusammenfassung von {count} Nachricht · veraltet und nicht gesendet · Zeigen</numerusform>
            <numerusform>Hier endet die Zusammenfassung von {count} Nachrichten · veraltet und nicht gesendet · Zeigen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Show the summary of {count} messages, out of date and not sent</source>
        <comment>Show the summary of {count} message, out of date and not sent</comment>
        <translation>
            <numerusform>Zusammenfassung von {count} Nachricht zeigen, veraltet und nicht gesendet</numerusform>
            <numerusform>Zusammenfassung von {count} Nachrichten zeigen, veraltet und nicht gesendet</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Summarised up to here · {count} messages · Show</source>
        <comment>Summarised up to here · {count} message · Show</comment>
        <translation>
            <numerusform>Bis hierher zusammengefasst · {count} Nachricht · Zeigen</numerusform>
            <numerusform>Bis hierher zusammengefasst · {count} Nachrichten · Zeigen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Show the summary of {count} messages up to here</source>
        <comment>Show the summary of {count} message up to here</comment>
        <translation>
            <numerusform>Zusammenfassung von {count} Nachricht bis hierher zeigen</numerusform>
            <numerusform>Zusammenfassung von {count} Nachrichten bis hierher zeigen</numerusform>
        </translation>
    </message>
    <message>
        <source>Note, which the model sees</source>
        <translation>Notiz, die das Modell sieht</translation>
    </message>
    <message>
        <source>Note, pinned into the context</source>
        <translation>Notiz, im Kontext festgehalten</translation>
    </message>
    <message>
        <source>Note, not sent to the model</source>
        <translation>Notiz, nicht an das Modell gesendet</translation>
    </message>
    <message>
        <source>Edited by {person}, pinned into the context</source>
        <translation>Bearbeitet von {person}, im Kontext festgehalten</translation>
    </message>
    <message>
        <source>Edited by {person}, excluded from the context</source>
        <translation>Bearbeitet von {person}, aus dem Kontext genommen</translation>
    </message>
    <message>
        <source>Edited by {person}</source>
        <translation>Bearbeitet von {person}</translation>
    </message>
    <message>
        <source>Wide formula: Left and Right move it</source>
        <translation>Breite Formel: Links und Rechts bewegen sie</translation>
    </message>
    <message>
        <source>Trying again…</source>
        <translation>Wird erneut versucht…</translation>
    </message>
    <message>
        <source>Trying again in {time} (attempt {attempt}).</source>
        <translation>Erneuter Versuch in {time} (Versuch {attempt}).</translation>
    </message>
    <message>
        <source>This picture is being fetched from the team.</source>
        <translation>Dieses Bild wird vom Team geholt.</translation>
    </message>
    <message>
        <source>This picture is missing on the team&apos;s server. ChatDesk tries again later.</source>
        <translation>Dieses Bild fehlt auf dem Server des Teams. ChatDesk versucht es später erneut.</translation>
    </message>
    <message>
        <source>Copy table</source>
        <translation>Tabelle kopieren</translation>
    </message>
    <message numerus="yes">
        <source>Show all {count} rows</source>
        <comment>Show the {count} row</comment>
        <translation>
            <numerusform>Alle {count} Zeilen zeigen</numerusform>
            <numerusform>Alle {count} Zeilen zeigen</numerusform>
        </translation>
    </message>
    <message>
        <source>Show fewer rows</source>
        <translation>Weniger Zeilen zeigen</translation>
    </message>
    <message>
        <source>Waiting for {who}, {duration}</source>
        <translation>Warten auf {who}, {duration}</translation>
    </message>
    <message numerus="yes">
        <source>{count} new messages</source>
        <comment>{count} new message</comment>
        <translation>
            <numerusform>{count} neue Nachricht</numerusform>
            <numerusform>{count} neue Nachrichten</numerusform>
        </translation>
    </message>
    <message>
        <source>Jump to newest</source>
        <translation>Zum Neuesten springen</translation>
    </message>
    <message>
        <source>Jump to newest, {new}</source>
        <translation>Zum Neuesten springen, {new}</translation>
    </message>
    <message>
        <source>This question has no answer.</source>
        <translation>Diese Frage hat keine Antwort.</translation>
    </message>
    <message>
        <source>More</source>
        <translation>Mehr</translation>
    </message>
    <message>
        <source>{count} from cache</source>
        <translation>{count} aus dem Cache</translation>
    </message>
    <message>
        <source>{count} cached</source>
        <translation>{count} im Cache</translation>
    </message>
    <message>
        <source>you can only read this project</source>
        <translation>Sie können dieses Projekt nur lesen</translation>
    </message>
    <message>
        <source>You</source>
        <translation>Sie</translation>
    </message>
    <message>
        <source>System</source>
        <translation>System</translation>
    </message>
    <message>
        <source>{moment}, as the author&apos;s computer says; it came to the team {accepted}</source>
        <translation>{moment} nach dem Computer der Person, die es schrieb; beim Team kam es {accepted} an</translation>
    </message>
    <message>
        <source>version {number} of {count}, by {person}</source>
        <translation>Version {number} von {count}, von {person}</translation>
    </message>
    <message>
        <source>{person} wrote this</source>
        <translation>{person} hat das geschrieben</translation>
    </message>
    <message>
        <source>Try now</source>
        <translation>Jetzt versuchen</translation>
    </message>
    <message>
        <source>Choose another model…</source>
        <translation>Anderes Modell wählen…</translation>
    </message>
    <message>
        <source>Choose a larger model…</source>
        <translation>Größeres Modell wählen…</translation>
    </message>
    <message>
        <source>Edit the message</source>
        <translation>Nachricht bearbeiten</translation>
    </message>
    <message>
        <source>Shorten</source>
        <translation>Kürzen</translation>
    </message>
    <message>
        <source>Change the key…</source>
        <translation>Schlüssel ändern…</translation>
    </message>
    <message>
        <source>Check the key…</source>
        <translation>Schlüssel prüfen…</translation>
    </message>
    <message>
        <source>Open the provider…</source>
        <translation>Anbieter öffnen…</translation>
    </message>
    <message>
        <source>Choose a larger model</source>
        <translation>Größeres Modell wählen</translation>
    </message>
    <message>
        <source>Send without the image</source>
        <translation>Ohne das Bild senden</translation>
    </message>
    <message>
        <source>Send as attachment excerpt</source>
        <translation>Als Auszug im Anhang senden</translation>
    </message>
    <message>
        <source>Edit the system prompt</source>
        <translation>Systemprompt bearbeiten</translation>
    </message>
    <message>
        <source>Include it and ask</source>
        <translation>Aufnehmen und fragen</translation>
    </message>
    <message>
        <source>Send anyway once</source>
        <translation>Einmal trotzdem senden</translation>
    </message>
    <message>
        <source>Raise limit…</source>
        <translation>Limit erhöhen…</translation>
    </message>
    <message>
        <source>Something went wrong. Your message is kept.</source>
        <translation>Etwas ist schiefgegangen. Ihre Nachricht bleibt erhalten.</translation>
    </message>
    <message>
        <source>{person} stopped this answer.</source>
        <translation>{person} hat diese Antwort angehalten.</translation>
    </message>
    <message>
        <source>You stopped this answer.</source>
        <translation>Sie haben diese Antwort angehalten.</translation>
    </message>
    <message>
        <source>The answer reached its maximum length.</source>
        <translation>Die Antwort hat ihre maximale Länge erreicht.</translation>
    </message>
    <message>
        <source>ChatDesk of {person} was closed before this answer was complete. Everything that had arrived is kept.</source>
        <translation>ChatDesk von {person} wurde geschlossen, bevor diese Antwort vollständig war. Alles Angekommene bleibt erhalten.</translation>
    </message>
    <message>
        <source>ChatDesk was closed before this answer was complete. Everything that had arrived is kept.</source>
        <translation>ChatDesk wurde geschlossen, bevor diese Antwort vollständig war. Alles Angekommene bleibt erhalten.</translation>
    </message>
    <message numerus="yes">
        <source>ChatDesk was closed while {count} calls waited for your approval. Nothing was run.</source>
        <comment>ChatDesk was closed while {count} call waited for your approval. Nothing was run.</comment>
        <translation>
            <numerusform>ChatDesk wurde geschlossen, während {count} Aufruf auf Ihre Zustimmung wartete. Es wurde nichts ausgeführt.</numerusform>
            <numerusform>ChatDesk wurde geschlossen, während {count} Aufrufe auf Ihre Zustimmung warteten. Es wurde nichts ausgeführt.</numerusform>
        </translation>
    </message>
    <message>
        <source>Decide…</source>
        <translation>Entscheiden…</translation>
    </message>
    <message>
        <source>ChatDesk ended while {tool} ran. Nobody knows what it did, and it is not repeated unless you say so.</source>
        <translation>ChatDesk wurde beendet, während {tool} lief. Niemand weiß, was es getan hat, und es wird nur wiederholt, wenn Sie es verlangen.</translation>
    </message>
    <message numerus="yes">
        <source>ChatDesk ended while {count} calls ran. Nobody knows what it did, and it is not repeated unless you say so.</source>
        <comment>ChatDesk ended while {count} call ran. Nobody knows what it did, and it is not repeated unless you say so.</comment>
        <translation>
            <numerusform>ChatDesk wurde beendet, während {count} Aufruf lief. Niemand weiß, was er getan hat, und er wird nur wiederholt, wenn Sie es verlangen.</numerusform>
            <numerusform>ChatDesk wurde beendet, während {count} Aufrufe liefen. Niemand weiß, was sie getan haben, und sie werden nur wiederholt, wenn Sie es verlangen.</numerusform>
        </translation>
    </message>
    <message>
        <source>Run again…</source>
        <translation>Erneut ausführen…</translation>
    </message>
    <message>
        <source>Try at {time}</source>
        <translation>Versuchen um {time}</translation>
    </message>
    <message>
        <source>This text has more than 1 MB, so it is not formatted. Copy it to read it elsewhere.</source>
        <translation>Dieser Text hat mehr als 1 MB und wird deshalb nicht formatiert. Kopieren Sie ihn, um ihn anderswo zu lesen.</translation>
    </message>
    <message>
        <source>Thinking…</source>
        <translation>Denkt nach…</translation>
    </message>
    <message>
        <source>Thought for {time}</source>
        <translation>{time} nachgedacht</translation>
    </message>
    <message>
        <source>It is on its way…</source>
        <translation>Es ist unterwegs…</translation>
    </message>
    <message>
        <source>{name}: {state}</source>
        <translation>{name}: {state}</translation>
    </message>
    <message>
        <source>under a second</source>
        <translation>unter einer Sekunde</translation>
    </message>
    <message>
        <source>pinned into the context</source>
        <translation>im Kontext festgehalten</translation>
    </message>
    <message>
        <source>excluded from the context</source>
        <translation>aus dem Kontext genommen</translation>
    </message>
    <message numerus="yes">
        <source>{count} code blocks</source>
        <comment>{count} code block</comment>
        <translation>
            <numerusform>{count} Codeblock</numerusform>
            <numerusform>{count} Codeblöcke</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tables</source>
        <comment>{count} table</comment>
        <translation>
            <numerusform>{count} Tabelle</numerusform>
            <numerusform>{count} Tabellen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} formulas</source>
        <comment>{count} formula</comment>
        <translation>
            <numerusform>{count} Formel</numerusform>
            <numerusform>{count} Formeln</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} images</source>
        <comment>{count} image</comment>
        <translation>
            <numerusform>{count} Bild</numerusform>
            <numerusform>{count} Bilder</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} diagrams</source>
        <comment>{count} diagram</comment>
        <translation>
            <numerusform>{count} Diagramm</numerusform>
            <numerusform>{count} Diagramme</numerusform>
        </translation>
    </message>
    <message>
        <source>bullet</source>
        <translation>Aufzählungszeichen</translation>
    </message>
    <message>
        <source>not done</source>
        <translation>nicht erledigt</translation>
    </message>
    <message>
        <source>done</source>
        <translation>erledigt</translation>
    </message>
    <message>
        <source>definition</source>
        <translation>Definition</translation>
    </message>
    <message>
        <source>edited by {person}</source>
        <translation>bearbeitet von {person}</translation>
    </message>
    <message>
        <source>asked by {person}</source>
        <translation>Frage von {person}</translation>
    </message>
    <message>
        <source>message {number} of {count}</source>
        <translation>Nachricht {number} von {count}</translation>
    </message>
    <message>
        <source>note</source>
        <translation>Notiz</translation>
    </message>
    <message>
        <source>part {number} of {count}</source>
        <translation>Teil {number} von {count}</translation>
    </message>
    <message numerus="yes">
        <source>{count} lines</source>
        <comment>{count} line</comment>
        <translation>
            <numerusform>{count} Zeile</numerusform>
            <numerusform>{count} Zeilen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Table, {count} columns</source>
        <comment>Table, {count} column</comment>
        <translation>
            <numerusform>Tabelle, {count} Spalte</numerusform>
            <numerusform>Tabelle, {count} Spalten</numerusform>
        </translation>
    </message>
    <message>
        <source>{table}, rows {first} to {last} of {count}</source>
        <translation>{table}, Zeilen {first} bis {last} von {count}</translation>
    </message>
    <message>
        <source>Back to the text</source>
        <translation>Zurück zum Text</translation>
    </message>
    <message>
        <source>Footnote {number}</source>
        <translation>Fußnote {number}</translation>
    </message>
    <message>
        <source>{author} is answering</source>
        <translation>{author} antwortet</translation>
    </message>
    <message>
        <source>{author} has answered</source>
        <translation>{author} hat geantwortet</translation>
    </message>
    <message>
        <source>The answer was stopped</source>
        <translation>Die Antwort wurde angehalten</translation>
    </message>
    <message>
        <source>The answer is not complete</source>
        <translation>Die Antwort ist nicht vollständig</translation>
    </message>
    <message>
        <source>Image, {alt}</source>
        <translation>Bild, {alt}</translation>
    </message>
    <message>
        <source>day</source>
        <translation>Tag</translation>
    </message>
    <message>
        <source>week</source>
        <translation>Woche</translation>
    </message>
    <message>
        <source>month</source>
        <translation>Monat</translation>
    </message>
    <message>
        <source>model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>project</source>
        <translation>Projekt</translation>
    </message>
    <message>
        <source>kind</source>
        <translation>Art</translation>
    </message>
    <message>
        <source>Chart of usage</source>
        <translation>Diagramm der Nutzung</translation>
    </message>
    <message>
        <source>Chart of {measure} by {rows}</source>
        <translation>Diagramm: {measure} nach {rows}</translation>
    </message>
    <message>
        <source>Arrow keys go from bar to bar; the table below has the same numbers.</source>
        <translation>Pfeiltasten gehen von Balken zu Balken; die Tabelle darunter enthält dieselben Zahlen.</translation>
    </message>
    <message>
        <source>{row}: {amount}</source>
        <translation>{row}: {amount}</translation>
    </message>
    <message>
        <source>No requests in these days.</source>
        <translation>Keine Anfragen an diesen Tagen.</translation>
    </message>
    <message numerus="yes">
        <source>In all {amount} in {count} rows. The largest is {row} with {most}.</source>
        <comment>In all {amount} in {count} row. The largest is {row} with {most}.</comment>
        <translation>
            <numerusform>Insgesamt {amount} in {count} Zeile. Am größten ist {row} mit {most}.</numerusform>
            <numerusform>Insgesamt {amount} in {count} Zeilen. Am größten ist {row} mit {most}.</numerusform>
        </translation>
    </message>
    <message>
        <source>no price known</source>
        <translation>kein Preis bekannt</translation>
    </message>
    <message numerus="yes">
        <source>About {count} tokens in {requests}.</source>
        <comment>About {count} token in {requests}.</comment>
        <translation>
            <numerusform>Etwa {count} Token in {requests}.</numerusform>
            <numerusform>Etwa {count} Token in {requests}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens in {requests}.</source>
        <comment>{count} token in {requests}.</comment>
        <translation>
            <numerusform>{count} Token in {requests}.</numerusform>
            <numerusform>{count} Token in {requests}.</numerusform>
        </translation>
    </message>
    <message>
        <source>Week of {day}</source>
        <translation>Woche ab {day}</translation>
    </message>
    <message>
        <source>{weekday}, {day}</source>
        <translation>{weekday}, {day}</translation>
    </message>
    <message>
        <source>cost</source>
        <translation>Kosten</translation>
    </message>
    <message>
        <source>Requests</source>
        <translation>Anfragen</translation>
    </message>
    <message>
        <source>requests</source>
        <translation>Anfragen</translation>
    </message>
    <message>
        <source>7 days</source>
        <translation>7 Tage</translation>
    </message>
    <message>
        <source>All</source>
        <translation>Alles</translation>
    </message>
    <message>
        <source>Own days</source>
        <translation>Eigener Zeitraum</translation>
    </message>
    <message>
        <source>By day</source>
        <translation>Nach Tag</translation>
    </message>
    <message>
        <source>By model</source>
        <translation>Nach Modell</translation>
    </message>
    <message>
        <source>By project</source>
        <translation>Nach Projekt</translation>
    </message>
    <message>
        <source>By kind</source>
        <translation>Nach Art</translation>
    </message>
    <message>
        <source>Days</source>
        <comment>period</comment>
        <translation>Zeitraum</translation>
    </message>
    <message>
        <source>First day</source>
        <translation>Erster Tag</translation>
    </message>
    <message>
        <source>Last day</source>
        <translation>Letzter Tag</translation>
    </message>
    <message>
        <source>What the bars show</source>
        <translation>Was die Balken zeigen</translation>
    </message>
    <message>
        <source>Export CSV…</source>
        <translation>CSV exportieren…</translation>
    </message>
    <message>
        <source>Cost: {cost}.</source>
        <translation>Kosten: {cost}.</translation>
    </message>
    <message>
        <source>No price is known for these models.</source>
        <translation>Für diese Modelle ist kein Preis bekannt.</translation>
    </message>
    <message numerus="yes">
        <source>≈: the tokens of {count} requests are estimates.</source>
        <comment>≈: the tokens of {count} request are estimates.</comment>
        <translation>
            <numerusform>≈: Die Token von {count} Anfrage sind geschätzt.</numerusform>
            <numerusform>≈: Die Token von {count} Anfragen sind geschätzt.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>No price is known for {count} requests; the cost leaves them out.</source>
        <comment>No price is known for {count} request; the cost leaves them out.</comment>
        <translation>
            <numerusform>Für {count} Anfrage ist kein Preis bekannt; in den Kosten ist sie nicht enthalten.</numerusform>
            <numerusform>Für {count} Anfragen ist kein Preis bekannt; in den Kosten sind sie nicht enthalten.</numerusform>
        </translation>
    </message>
    <message>
        <source>Tokens in</source>
        <translation>Eingabe-Token</translation>
    </message>
    <message>
        <source>From cache</source>
        <translation>Aus dem Cache</translation>
    </message>
    <message>
        <source>Of them read from the provider&apos;s cache</source>
        <translation>Davon aus dem Cache des Anbieters gelesen</translation>
    </message>
    <message>
        <source>Of them written to the provider&apos;s cache</source>
        <translation>Davon in den Cache des Anbieters geschrieben</translation>
    </message>
    <message>
        <source>Tokens out</source>
        <translation>Ausgabe-Token</translation>
    </message>
    <message>
        <source>Week</source>
        <translation>Woche</translation>
    </message>
    <message>
        <source>Month</source>
        <translation>Monat</translation>
    </message>
    <message>
        <source>Day</source>
        <translation>Tag</translation>
    </message>
    <message>
        <source>Kind</source>
        <translation>Art</translation>
    </message>
    <message>
        <source>Usage as a table</source>
        <translation>Nutzung als Tabelle</translation>
    </message>
    <message>
        <source>Close this notice</source>
        <translation>Diesen Hinweis schließen</translation>
    </message>
    <message>
        <source>{percent}%</source>
        <translation>{percent} %</translation>
    </message>
    <message>
        <source>nearly full</source>
        <translation>fast voll</translation>
    </message>
    <message>
        <source>filling up</source>
        <translation>füllt sich</translation>
    </message>
    <message>
        <source>Context used: {percentage}</source>
        <translation>Kontext belegt: {percentage}</translation>
    </message>
    <message>
        <source>Context of this thread</source>
        <translation>Kontext dieser Unterhaltung</translation>
    </message>
    <message>
        <source>How full the context is</source>
        <translation>Wie voll der Kontext ist</translation>
    </message>
    <message>
        <source>Show what is sent</source>
        <translation>Zeigen, was gesendet wird</translation>
    </message>
    <message>
        <source>Explain a stack trace</source>
        <translation>Einen Stacktrace erklären</translation>
    </message>
    <message>
        <source>Paste it; get the cause and the fix</source>
        <translation>Einfügen; Ursache und Abhilfe bekommen</translation>
    </message>
    <message>
        <source>Explain this error. What causes it, and how do I fix it?

</source>
        <translation>Erkläre diesen Fehler. Was verursacht ihn, und wie behebe ich ihn?

</translation>
    </message>
    <message>
        <source>Summarise a document</source>
        <translation>Ein Dokument zusammenfassen</translation>
    </message>
    <message>
        <source>Drop a PDF or a text file</source>
        <translation>PDF oder Textdatei hierher ziehen</translation>
    </message>
    <message>
        <source>Summarise this document: the main points first, then what is left open.</source>
        <translation>Fasse dieses Dokument zusammen: zuerst die Hauptpunkte, dann, was offen bleibt.</translation>
    </message>
    <message>
        <source>Make a comparison table</source>
        <translation>Eine Vergleichstabelle machen</translation>
    </message>
    <message>
        <source>Options against criteria</source>
        <translation>Möglichkeiten gegen Kriterien</translation>
    </message>
    <message>
        <source>Compare these options in a table, by cost, effort and risk:
- </source>
        <translation>Vergleiche diese Möglichkeiten in einer Tabelle, nach Kosten, Aufwand und Risiko:
- </translation>
    </message>
    <message>
        <source>From a ChatGPT or Claude export</source>
        <translation>Aus einem Export von ChatGPT oder Claude</translation>
    </message>
    <message>
        <source>What ChatDesk can do</source>
        <translation>Was ChatDesk kann</translation>
    </message>
    <message>
        <source>See an answer</source>
        <translation>Eine Antwort sehen</translation>
    </message>
    <message>
        <source>With code, a table and a formula</source>
        <translation>Mit Code, einer Tabelle und einer Formel</translation>
    </message>
    <message>
        <source>A key, or a server of your own</source>
        <translation>Ein Schlüssel oder ein eigener Server</translation>
    </message>
    <message>
        <source>See what goes with it, and save it</source>
        <translation>Sehen, was darin steht, und speichern</translation>
    </message>
    <message>
        <source>Nothing is changed</source>
        <translation>Nichts wird geändert</translation>
    </message>
    <message>
        <source>See what is in it first</source>
        <translation>Zuerst sehen, was darin ist</translation>
    </message>
    <message>
        <source>What are you working on?</source>
        <translation>Woran arbeiten Sie?</translation>
    </message>
    <message>
        <source>Your threads could not be opened</source>
        <translation>Ihre Unterhaltungen konnten nicht geöffnet werden</translation>
    </message>
    <message>
        <source>Opening your threads…</source>
        <translation>Ihre Unterhaltungen werden geöffnet…</translation>
    </message>
    <message>
        <source>If you restore a backup, the database as it is now is kept.</source>
        <translation>Wenn Sie eine Sicherung wiederherstellen, bleibt die jetzige Datenbank erhalten.</translation>
    </message>
    <message>
        <source>{size} KB</source>
        <translation>{size} KB</translation>
    </message>
    <message>
        <source>{size} MB</source>
        <translation>{size} MB</translation>
    </message>
    <message>
        <source>{first} is typing…</source>
        <translation>{first} schreibt…</translation>
    </message>
    <message>
        <source>{first} and {second} are typing…</source>
        <translation>{first} und {second} schreiben…</translation>
    </message>
    <message numerus="yes">
        <source>{count} people are typing…</source>
        <comment>{count} person is typing…</comment>
        <translation>
            <numerusform>{count} Person schreibt…</numerusform>
            <numerusform>{count} Personen schreiben…</numerusform>
        </translation>
    </message>
    <message>
        <source>Here now: {names}</source>
        <translation>Jetzt hier: {names}</translation>
    </message>
    <message>
        <source>Temporary</source>
        <translation>Temporär</translation>
    </message>
    <message>
        <source>Nothing of this chat is stored. It is gone when ChatDesk closes, unless you keep it.</source>
        <translation>Nichts von diesem Chat wird gespeichert. Er verschwindet, wenn ChatDesk geschlossen wird, es sei denn, Sie behalten ihn.</translation>
    </message>
    <message>
        <source>Store this chat with all its messages</source>
        <translation>Diesen Chat mit allen Nachrichten speichern</translation>
    </message>
    <message>
        <source>Keep this chat</source>
        <translation>Diesen Chat behalten</translation>
    </message>
    <message>
        <source>Temporary. {meaning}</source>
        <translation>Temporär. {meaning}</translation>
    </message>
    <message>
        <source>Thread header</source>
        <translation>Kopf der Unterhaltung</translation>
    </message>
    <message>
        <source>Show the sidebar</source>
        <translation>Seitenleiste einblenden</translation>
    </message>
    <message>
        <source>Questions of this thread</source>
        <translation>Fragen dieser Unterhaltung</translation>
    </message>
    <message>
        <source>More about this thread</source>
        <translation>Mehr zu dieser Unterhaltung</translation>
    </message>
    <message>
        <source>Close this chat</source>
        <translation>Diesen Chat schließen</translation>
    </message>
    <message>
        <source>Thread title</source>
        <translation>Titel der Unterhaltung</translation>
    </message>
    <message>
        <source>Paste your API key</source>
        <translation>API-Schlüssel einfügen</translation>
    </message>
    <message>
        <source>Show the key</source>
        <translation>Schlüssel zeigen</translation>
    </message>
    <message>
        <source>Hide the key</source>
        <translation>Schlüssel verbergen</translation>
    </message>
    <message>
        <source>Opens {url} in the browser.</source>
        <translation>Öffnet {url} im Browser.</translation>
    </message>
    <message>
        <source>{others} and {last}</source>
        <translation>{others} und {last}</translation>
    </message>
    <message>
        <source>, </source>
        <translation>, </translation>
    </message>
    <message>
        <source>Choose a model</source>
        <translation>Modell wählen</translation>
    </message>
    <message>
        <source>Up and Down move, Enter chooses, Ctrl+D marks a favourite.</source>
        <translation>Pfeil nach oben und unten bewegen, Enter wählt, Strg+D markiert einen Favoriten.</translation>
    </message>
    <message>
        <source>Fetch the lists of models again</source>
        <translation>Modelllisten erneut abrufen</translation>
    </message>
    <message>
        <source>Add provider…</source>
        <translation>Anbieter hinzufügen…</translation>
    </message>
    <message>
        <source>No model matches.</source>
        <translation>Kein Modell passt.</translation>
    </message>
    <message>
        <source>There is no model yet. Add a provider.</source>
        <translation>Es gibt noch kein Modell. Fügen Sie einen Anbieter hinzu.</translation>
    </message>
    <message>
        <source>Marked as a favourite</source>
        <translation>Als Favorit markiert</translation>
    </message>
    <message>
        <source>No longer a favourite</source>
        <translation>Kein Favorit mehr</translation>
    </message>
    <message>
        <source>Model: {text}</source>
        <translation>Modell: {text}</translation>
    </message>
    <message>
        <source>{text}: choose another model</source>
        <translation>{text}: anderes Modell wählen</translation>
    </message>
    <message>
        <source>Favourites</source>
        <translation>Favoriten</translation>
    </message>
    <message>
        <source>favourite</source>
        <translation>Favorit</translation>
    </message>
    <message>
        <source>chosen</source>
        <translation>gewählt</translation>
    </message>
    <message>
        <source>Find a project</source>
        <translation>Projekt suchen</translation>
    </message>
    <message>
        <source>open</source>
        <translation>offen</translation>
    </message>
    <message>
        <source>No project matches.</source>
        <translation>Kein Projekt passt.</translation>
    </message>
    <message>
        <source>Clear the search</source>
        <translation>Suche leeren</translation>
    </message>
    <message>
        <source>Border between the two chats</source>
        <translation>Grenze zwischen den beiden Chats</translation>
    </message>
    <message>
        <source>Chat at the left</source>
        <translation>Chat links</translation>
    </message>
    <message>
        <source>Chat at the right</source>
        <translation>Chat rechts</translation>
    </message>
    <message>
        <source>Active: commands act here</source>
        <translation>Aktiv: Befehle wirken hier</translation>
    </message>
    <message>
        <source>Chats of this window</source>
        <translation>Chats dieses Fensters</translation>
    </message>
    <message>
        <source>Menu bar</source>
        <translation>Menüleiste</translation>
    </message>
    <message>
        <source>Show the menu bar</source>
        <translation>Menüleiste einblenden</translation>
    </message>
    <message>
        <source>Hide the menu bar</source>
        <translation>Menüleiste ausblenden</translation>
    </message>
    <message>
        <source>Hide the sidebar</source>
        <translation>Seitenleiste ausblenden</translation>
    </message>
    <message>
        <source>The sidebar is shown</source>
        <translation>Die Seitenleiste ist eingeblendet</translation>
    </message>
    <message>
        <source>The sidebar is hidden</source>
        <translation>Die Seitenleiste ist ausgeblendet</translation>
    </message>
    <message>
        <source>{title} – ChatDesk</source>
        <translation>{title} – ChatDesk</translation>
    </message>
    <message>
        <source>usage: </source>
        <translation>Aufruf: </translation>
    </message>
    <message>
        <source>positional arguments</source>
        <translation>Argumente</translation>
    </message>
    <message>
        <source>options</source>
        <translation>Optionen</translation>
    </message>
    <message>
        <source>show this help message and exit</source>
        <translation>diese Hilfe zeigen und enden</translation>
    </message>
    <message>
        <source>show program&apos;s version number and exit</source>
        <translation>die Version des Programms zeigen und enden</translation>
    </message>
    <message>
        <source>%(prog)s: error: %(message)s
</source>
        <translation>%(prog)s: Fehler: %(message)s
</translation>
    </message>
    <message>
        <source>argument %(argument_name)s: %(message)s</source>
        <translation>Argument %(argument_name)s: %(message)s</translation>
    </message>
    <message>
        <source>the following arguments are required: %s</source>
        <translation>es fehlen die Argumente: %s</translation>
    </message>
    <message>
        <source>one of the arguments %s is required</source>
        <translation>eines der Argumente %s ist nötig</translation>
    </message>
    <message>
        <source>expected one argument</source>
        <translation>ein Wert wird erwartet</translation>
    </message>
    <message>
        <source>expected at most one argument</source>
        <translation>höchstens ein Wert wird erwartet</translation>
    </message>
    <message>
        <source>expected at least one argument</source>
        <translation>mindestens ein Wert wird erwartet</translation>
    </message>
    <message>
        <source>invalid choice: %(value)r (choose from %(choices)s)</source>
        <translation>ungültige Auswahl: %(value)r (möglich sind %(choices)s)</translation>
    </message>
    <message>
        <source>invalid %(type)s value: %(value)r</source>
        <translation>ungültiger Wert (%(type)s): %(value)r</translation>
    </message>
    <message>
        <source>unrecognized arguments: %s</source>
        <translation>unbekannte Argumente: %s</translation>
    </message>
    <message>
        <source>not allowed with argument %s</source>
        <translation>nicht zusammen mit Argument %s erlaubt</translation>
    </message>
    <message>
        <source>ambiguous option: %(option)s could match %(matches)s</source>
        <translation>mehrdeutige Option: %(option)s kann %(matches)s sein</translation>
    </message>
    <message>
        <source>ignored explicit argument %r</source>
        <translation>nicht erwarteter Wert: %r</translation>
    </message>
    <message numerus="yes">
        <source>expected %s arguments</source>
        <comment>expected %s argument</comment>
        <translation>
            <numerusform>%s Wert wird erwartet</numerusform>
            <numerusform>%s Werte werden erwartet</numerusform>
        </translation>
    </message>
    <message>
        <source>invited</source>
        <translation>eingeladen</translation>
    </message>
    <message>
        <source>active</source>
        <translation>aktiv</translation>
    </message>
    <message>
        <source>removed</source>
        <translation>entfernt</translation>
    </message>
    <message>
        <source>warning</source>
        <translation>Warnung</translation>
    </message>
    <message>
        <source>Recovered messages</source>
        <translation>Wiederhergestellte Nachrichten</translation>
    </message>
    <message>
        <source>Not taken by the team</source>
        <translation>Vom Team nicht angenommen</translation>
    </message>
    <message>
        <source>{title} (branch)</source>
        <translation>{title} (Zweig)</translation>
    </message>
    <message>
        <source>Server at port {port}</source>
        <translation>Server an Port {port}</translation>
    </message>
    <message>
        <source>It answers</source>
        <translation>Er antwortet</translation>
    </message>
    <message>
        <source>Lets ChatDesk search</source>
        <translation>Lässt ChatDesk suchen</translation>
    </message>
    <message>
        <source>Finds pages</source>
        <translation>Findet Seiten</translation>
    </message>
    <message>
        <source>New</source>
        <comment>messages</comment>
        <translation>Neu</translation>
    </message>
    <message>
        <source>Works</source>
        <translation>Funktioniert</translation>
    </message>
    <message>
        <source>Does not work</source>
        <translation>Funktioniert nicht</translation>
    </message>
    <message>
        <source>{who} offers no embeddings.</source>
        <translation>{who} bietet keine Embeddings an.</translation>
    </message>
    <message>
        <source>The counters of thread {thread} are wrong.</source>
        <translation>Die Zähler der Unterhaltung {thread} sind falsch.</translation>
    </message>
    <message>
        <source>The last shown message of thread {thread} is wrong.</source>
        <translation>Die letzte angezeigte Nachricht der Unterhaltung {thread} ist falsch.</translation>
    </message>
    <message>
        <source>The attached file {name} is missing.</source>
        <translation>Die angehängte Datei {name} fehlt.</translation>
    </message>
    <message>
        <source>The attached file {name} is not what was saved.</source>
        <translation>Die angehängte Datei {name} ist nicht die, die gespeichert wurde.</translation>
    </message>
    <message>
        <source>The attached file {name} is a link to another file.</source>
        <translation>Die angehängte Datei {name} ist ein Verweis auf eine andere Datei.</translation>
    </message>
    <message>
        <source>The attached file {name} cannot be read.</source>
        <translation>Die angehängte Datei {name} kann nicht gelesen werden.</translation>
    </message>
    <message>
        <source>SQLite reports: {report}.</source>
        <translation>SQLite meldet: {report}.</translation>
    </message>
    <message>
        <source>A row of {table} points to a missing row of {missing}.</source>
        <translation>Eine Zeile von {table} zeigt auf eine fehlende Zeile von {missing}.</translation>
    </message>
    <message>
        <source>The text of message {message} is not what was saved.</source>
        <translation>Der Text der Nachricht {message} ist nicht der, der gespeichert wurde.</translation>
    </message>
    <message>
        <source>This question is no longer waiting.</source>
        <translation>Diese Frage wartet nicht mehr.</translation>
    </message>
    <message>
        <source>It did not arrive completely.</source>
        <translation>Es kam nicht vollständig an.</translation>
    </message>
    <message>
        <source>This provider no longer exists.</source>
        <translation>Diesen Anbieter gibt es nicht mehr.</translation>
    </message>
    <message>
        <source>This answer is no longer waiting.</source>
        <translation>Diese Antwort wartet nicht mehr.</translation>
    </message>
    <message>
        <source>This file contains more messages than can be read at once.</source>
        <translation>Diese Datei enthält mehr Nachrichten, als auf einmal gelesen werden können.</translation>
    </message>
    <message>
        <source>ChatDesk keeps running in the tray. To end it, choose Quit there or in the menu.</source>
        <translation>ChatDesk läuft im Infobereich weiter. Um es zu beenden, wählen Sie dort oder im Menü „Beenden“.</translation>
    </message>
    <message>
        <source>unknown time</source>
        <translation>unbekannte Zeit</translation>
    </message>
    <message>
        <source>The proxy that the system names cannot be used: {proxy}. Name an HTTP proxy there.</source>
        <translation>Der Proxy, den das System nennt, kann nicht verwendet werden: {proxy}. Nennen Sie dort einen HTTP-Proxy.</translation>
    </message>
    <message>
        <source>The proxy wants a user name and a password: {proxy}. Nothing was sent.</source>
        <translation>Der Proxy verlangt einen Benutzernamen und ein Passwort: {proxy}. Es wurde nichts gesendet.</translation>
    </message>
    <message>
        <source>Write them into its address, as in http://name:password@proxy:3128.</source>
        <translation>Schreiben Sie beides in seine Adresse, wie in http://name:password@proxy:3128.</translation>
    </message>
    <message>
        <source>The proxy let nothing through ({answer}): {proxy}.</source>
        <translation>Der Proxy ließ nichts durch ({answer}): {proxy}.</translation>
    </message>
    <message>
        <source>Ask who runs it, or set the proxy of this provider in Settings, Providers.</source>
        <translation>Fragen Sie den Betreiber, oder legen Sie den Proxy dieses Anbieters unter Einstellungen, Anbieter fest.</translation>
    </message>
    <message>
        <source>The proxy could not be reached: {proxy}. Nothing was sent.</source>
        <translation>Der Proxy war nicht zu erreichen: {proxy}. Es wurde nichts gesendet.</translation>
    </message>
    <message>
        <source>Check the proxy, or set the proxy of this provider in Settings, Providers.</source>
        <translation>Prüfen Sie den Proxy, oder legen Sie den Proxy dieses Anbieters unter Einstellungen, Anbieter fest.</translation>
    </message>
    <message>
        <source>Upgrading a copy of the database…</source>
        <translation>Eine Kopie der Datenbank wird aktualisiert…</translation>
    </message>
    <message>
        <source>The row {row} of {table} has values that cannot be: {columns}.</source>
        <translation>Die Zeile {row} von {table} hat unmögliche Werte: {columns}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} values of {table} were replaced.</source>
        <comment>{count} value of {table} was replaced.</comment>
        <translation>
            <numerusform>{count} Wert von {table} wurde ersetzt.</numerusform>
            <numerusform>{count} Werte von {table} wurden ersetzt.</numerusform>
        </translation>
    </message>
    <message>
        <source>{path} is not a file.</source>
        <translation>{path} ist keine Datei.</translation>
    </message>
    <message>
        <source>{path} cannot be read ({reason}).</source>
        <translation>{path} kann nicht gelesen werden ({reason}).</translation>
    </message>
    <message>
        <source>{path} is damaged.</source>
        <translation>{path} ist beschädigt.</translation>
    </message>
    <message>
        <source>own files</source>
        <translation>eigene Dateien</translation>
    </message>
    <message>
        <source>ChatDesk goes on without it.</source>
        <translation>ChatDesk macht ohne sie weiter.</translation>
    </message>
    <message>
        <source>Damaged files were kept in {directory} as {names}. Remove them when you no longer need them.</source>
        <translation>Beschädigte Dateien wurden in {directory} als {names} aufbewahrt. Entfernen Sie sie, wenn Sie sie nicht mehr brauchen.</translation>
    </message>
    <message>
        <source>file of {subject}</source>
        <translation>Datei ({subject})</translation>
    </message>
    <message>
        <source>Empty or damaged, so that they count as no backups: {names}.</source>
        <translation>Leer oder beschädigt und deshalb keine Sicherungen: {names}.</translation>
    </message>
    <message>
        <source>Remove them from {directory}.</source>
        <translation>Entfernen Sie sie aus {directory}.</translation>
    </message>
    <message>
        <source>backups</source>
        <translation>Sicherungen</translation>
    </message>
    <message>
        <source>import</source>
        <translation>importieren</translation>
    </message>
    <message>
        <source>choose the model</source>
        <translation>Modell wählen</translation>
    </message>
    <message>
        <source>attach a file</source>
        <translation>Datei anhängen</translation>
    </message>
    <message>
        <source>These braces are not closed. Write }} after the name, or a backslash before mere braces.</source>
        <translation>Diese Klammern sind nicht geschlossen. Schreiben Sie }} hinter den Namen, oder einen umgekehrten Schrägstrich vor bloße Klammern.</translation>
    </message>
    <message>
        <source>A variable needs a name between its braces.</source>
        <translation>Eine Variable braucht einen Namen zwischen ihren Klammern.</translation>
    </message>
    <message>
        <source>A name begins with a letter and has letters, digits, spaces, - and _ only. It is inserted as it is written.</source>
        <translation>Ein Name beginnt mit einem Buchstaben und hat nur Buchstaben, Ziffern, Leerzeichen, - und _. Er wird eingefügt, wie er geschrieben ist.</translation>
    </message>
    <message>
        <source>Line {line}, column {column}: {problem}</source>
        <translation>Zeile {line}, Spalte {column}: {problem}</translation>
    </message>
    <message>
        <source>{variable} has {count} characters; the first {kept} were inserted.</source>
        <translation>{variable} hat {count} Zeichen; die ersten {kept} wurden eingefügt.</translation>
    </message>
    <message>
        <source>The text was cut after {count} characters.</source>
        <translation>Der Text wurde nach {count} Zeichen abgeschnitten.</translation>
    </message>
    <message>
        <source>A name has at most {count} characters. It is inserted as it is written.</source>
        <translation>Ein Name hat höchstens {count} Zeichen. Er wird eingefügt, wie er geschrieben ist.</translation>
    </message>
    <message>
        <source>{variable} means nothing in a system prompt.</source>
        <translation>{variable} bedeutet in einem Systemprompt nichts.</translation>
    </message>
    <message>
        <source>{variable} takes nothing after its name, so this is inserted as it is written.</source>
        <translation>{variable} nimmt nichts hinter dem Namen an und wird deshalb eingefügt, wie es geschrieben ist.</translation>
    </message>
    <message>
        <source>This format is not known. Use parts as in {example}, or {variable} alone. It is inserted as it is written.</source>
        <translation>Dieses Format ist nicht bekannt. Verwenden Sie Teile wie in {example}, oder nur {variable}. Es wird eingefügt, wie es geschrieben ist.</translation>
    </message>
    <message>
        <source>{variable} is not known in a system prompt.</source>
        <translation>{variable} ist in einem Systemprompt nicht bekannt.</translation>
    </message>
    <message>
        <source>Write 1 to {count} choices, such as {example}.</source>
        <translation>Schreiben Sie 1 bis {count} Auswahlmöglichkeiten, zum Beispiel {example}.</translation>
    </message>
    <message>
        <source>A template has at most {count} fields. This one stays as it is written.</source>
        <translation>Eine Vorlage hat höchstens {count} Felder. Dieses bleibt, wie es geschrieben ist.</translation>
    </message>
    <message>
        <source>{variable} is asked for as a field.</source>
        <translation>{variable} wird als Feld abgefragt.</translation>
    </message>
    <message>
        <source>Did you mean {variable}?</source>
        <translation>Meinten Sie {variable}?</translation>
    </message>
    <message>
        <source>Only {names} are known there; this is sent as it is written.</source>
        <translation>Nur {names} sind dort bekannt; dies wird gesendet, wie es geschrieben ist.</translation>
    </message>
    <message>
        <source>The model gave an empty summary.</source>
        <translation>Das Modell hat eine leere Zusammenfassung geliefert.</translation>
    </message>
    <message>
        <source>The model gave a summary that says nothing.</source>
        <translation>Das Modell hat eine Zusammenfassung geliefert, die nichts aussagt.</translation>
    </message>
    <message>
        <source>The model refused to summarise.</source>
        <translation>Das Modell hat die Zusammenfassung abgelehnt.</translation>
    </message>
    <message>
        <source>The model gave a summary that is longer than the messages.</source>
        <translation>Das Modell hat eine Zusammenfassung geliefert, die länger ist als die Nachrichten.</translation>
    </message>
    <message>
        <source>The model did not finish its summary.</source>
        <translation>Das Modell hat seine Zusammenfassung nicht beendet.</translation>
    </message>
    <message>
        <source>This link cannot be opened: it names neither a thread nor an invitation.</source>
        <translation>Dieser Link kann nicht geöffnet werden: Er nennt weder eine Unterhaltung noch eine Einladung.</translation>
    </message>
    <message>
        <source>Ask the person who gave it to you to copy it again.</source>
        <translation>Bitten Sie die Person, von der Sie ihn haben, ihn noch einmal zu kopieren.</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>Einzelheiten</translation>
    </message>
    <message>
        <source>{kilobytes} KB, damaged or too large</source>
        <translation>{kilobytes} KB, beschädigt oder zu groß</translation>
    </message>
    <message>
        <source>too large for a table</source>
        <translation>zu groß für eine Tabelle</translation>
    </message>
    <message>
        <source>Note</source>
        <comment>callout</comment>
        <translation>Hinweis</translation>
    </message>
    <message>
        <source>Tip</source>
        <comment>callout</comment>
        <translation>Tipp</translation>
    </message>
    <message>
        <source>Important</source>
        <comment>callout</comment>
        <translation>Wichtig</translation>
    </message>
    <message>
        <source>Warning</source>
        <comment>callout</comment>
        <translation>Warnung</translation>
    </message>
    <message>
        <source>Caution</source>
        <comment>callout</comment>
        <translation>Vorsicht</translation>
    </message>
    <message>
        <source>This diagram could not be drawn</source>
        <translation>Dieses Diagramm konnte nicht gezeichnet werden</translation>
    </message>
    <message>
        <source>Diagrams cannot be drawn on this computer</source>
        <translation>Diagramme können auf diesem Computer nicht gezeichnet werden</translation>
    </message>
    <message>
        <source>This picture could not be drawn</source>
        <translation>Dieses Bild konnte nicht gezeichnet werden</translation>
    </message>
    <message>
        <source>Erased project</source>
        <translation>Gelöschtes Projekt</translation>
    </message>
    <message>
        <source>Shared project</source>
        <translation>Geteiltes Projekt</translation>
    </message>
    <message>
        <source>The team&apos;s database reports: {reason}</source>
        <translation>Die Datenbank des Teams meldet: {reason}</translation>
    </message>
    <message>
        <source>This file of the project&apos;s folder cannot be used.</source>
        <translation>Diese Datei im Ordner des Projekts kann nicht verwendet werden.</translation>
    </message>
    <message>
        <source>This path is too long, or has characters that cannot be seen.</source>
        <translation>Dieser Pfad ist zu lang oder hat unsichtbare Zeichen.</translation>
    </message>
    <message>
        <source>Paths begin at the project&apos;s folder: “src/main.py”, for example.</source>
        <translation>Pfade beginnen beim Ordner des Projekts: zum Beispiel „src/main.py“.</translation>
    </message>
    <message>
        <source>A path cannot lead out of the project&apos;s folder.</source>
        <translation>Ein Pfad kann nicht aus dem Ordner des Projekts hinausführen.</translation>
    </message>
    <message>
        <source>This path is too deep.</source>
        <translation>Dieser Pfad ist zu tief.</translation>
    </message>
    <message>
        <source>“{name}” usually holds secrets, or is managed by a program, so no tool may use it.</source>
        <translation>„{name}“ enthält gewöhnlich Geheimnisse oder wird von einem Programm verwaltet, darum darf kein Werkzeug es verwenden.</translation>
    </message>
    <message>
        <source>The project&apos;s folder cannot be opened, or there is a link on the way to it.</source>
        <translation>Der Ordner des Projekts kann nicht geöffnet werden, oder auf dem Weg dorthin liegt eine Verknüpfung.</translation>
    </message>
    <message>
        <source>Choose it again in the project&apos;s dialog.</source>
        <translation>Wählen Sie ihn im Dialog des Projekts noch einmal.</translation>
    </message>
    <message>
        <source>“{name}” is not a file but a folder, a link or a device. Links are not followed.</source>
        <translation>„{name}“ ist keine Datei, sondern ein Ordner, eine Verknüpfung oder ein Gerät. Verknüpfungen wird nicht gefolgt.</translation>
    </message>
    <message>
        <source>“{name}” is not a file but a folder, a link or a device.</source>
        <translation>„{name}“ ist keine Datei, sondern ein Ordner, eine Verknüpfung oder ein Gerät.</translation>
    </message>
    <message>
        <source>“{name}” is no longer a file.</source>
        <translation>„{name}“ ist keine Datei mehr.</translation>
    </message>
    <message>
        <source>“{name}” has a second name (a hard link), perhaps outside of the project&apos;s folder.</source>
        <translation>„{name}“ hat einen zweiten Namen (einen harten Link), vielleicht außerhalb des Projektordners.</translation>
    </message>
    <message>
        <source>Copy it if tools are to use it.</source>
        <translation>Kopieren Sie sie, wenn Werkzeuge sie verwenden sollen.</translation>
    </message>
    <message>
        <source>“{name}” is too large; the limit is {most}.</source>
        <translation>„{name}“ ist zu groß; das Limit ist {most}.</translation>
    </message>
    <message>
        <source>“{name}” is not a folder, or there is a link on the way. Links are not followed.</source>
        <translation>„{name}“ ist kein Ordner, oder auf dem Weg liegt eine Verknüpfung. Verknüpfungen wird nicht gefolgt.</translation>
    </message>
    <message>
        <source>“{name}” is not a file but a link. Links are not followed.</source>
        <translation>„{name}“ ist keine Datei, sondern eine Verknüpfung. Verknüpfungen wird nicht gefolgt.</translation>
    </message>
    <message>
        <source>There is no folder “{name}” in the project&apos;s folder.</source>
        <translation>Im Ordner des Projekts gibt es keinen Ordner „{name}“.</translation>
    </message>
    <message>
        <source>There is no file “{name}” in the project&apos;s folder.</source>
        <translation>Im Ordner des Projekts gibt es keine Datei „{name}“.</translation>
    </message>
    <message>
        <source>You may not read “{name}”.</source>
        <translation>Sie dürfen „{name}“ nicht lesen.</translation>
    </message>
    <message>
        <source>“{name}” cannot be opened: {reason}.</source>
        <translation>„{name}“ kann nicht geöffnet werden: {reason}.</translation>
    </message>
    <message>
        <source>The file was changed after the change was proposed.</source>
        <translation>Die Datei wurde geändert, nachdem die Änderung vorgeschlagen worden war.</translation>
    </message>
    <message>
        <source>Ask the model to read the file again and to propose the change again.</source>
        <translation>Bitten Sie das Modell, die Datei noch einmal zu lesen und die Änderung noch einmal vorzuschlagen.</translation>
    </message>
    <message>
        <source>The file was removed after the change was proposed.</source>
        <translation>Die Datei wurde entfernt, nachdem die Änderung vorgeschlagen worden war.</translation>
    </message>
    <message>
        <source>There is already a file with that name.</source>
        <translation>Eine Datei mit diesem Namen gibt es schon.</translation>
    </message>
    <message>
        <source>The file belongs to another user of this computer.</source>
        <translation>Die Datei gehört einem anderen Benutzer dieses Computers.</translation>
    </message>
    <message>
        <source>The file is write-protected.</source>
        <translation>Die Datei ist schreibgeschützt.</translation>
    </message>
    <message>
        <source>Remove the protection, then try again.</source>
        <translation>Heben Sie den Schutz auf, und versuchen Sie es dann erneut.</translation>
    </message>
    <message>
        <source>The disk of “{name}” is full.</source>
        <translation>Der Datenträger von „{name}“ ist voll.</translation>
    </message>
    <message>
        <source>Free some space, then try again.</source>
        <translation>Schaffen Sie Platz, und versuchen Sie es dann erneut.</translation>
    </message>
    <message>
        <source>You may not write to “{name}”.</source>
        <translation>Sie dürfen in „{name}“ nicht schreiben.</translation>
    </message>
    <message>
        <source>“{name}” could not be written: {reason}.</source>
        <translation>„{name}“ konnte nicht geschrieben werden: {reason}.</translation>
    </message>
    <message>
        <source>It no longer knows the session.</source>
        <translation>Er kennt die Sitzung nicht mehr.</translation>
    </message>
    <message>
        <source>something</source>
        <translation>etwas anderem</translation>
    </message>
    <message>
        <source>It answered with {kind}, not with a message of the protocol. Is its address right?</source>
        <translation>Er antwortete mit {kind}, nicht mit einer Nachricht des Protokolls. Stimmt die Adresse?</translation>
    </message>
    <message>
        <source>The connection ended before it answered.</source>
        <translation>Die Verbindung endete, bevor er geantwortet hat.</translation>
    </message>
    <message>
        <source>It answered with status {status}.</source>
        <translation>Er antwortete mit Status {status}.</translation>
    </message>
    <message>
        <source>ChatDesk does not speak the older transport with two addresses (SSE): is there one that ends with /mcp?</source>
        <translation>ChatDesk unterstützt den älteren Transport mit zwei Adressen (SSE) nicht: Gibt es eine, die auf /mcp endet?</translation>
    </message>
    <message>
        <source>It sent more than {most} values in one message.</source>
        <translation>Er sendete mehr als {most} Werte in einer Nachricht.</translation>
    </message>
    <message>
        <source>It is larger than {most}.</source>
        <translation>Es ist größer als {most}.</translation>
    </message>
    <message>
        <source>It is not valid base64.</source>
        <translation>Es ist kein gültiges base64.</translation>
    </message>
    <message>
        <source>It sent too many requests, or used an id twice, before it read the answers.</source>
        <translation>Er sendete zu viele Anfragen oder verwendete eine Kennung zweimal, bevor er die Antworten las.</translation>
    </message>
    <message>
        <source>It was stopped.</source>
        <translation>Er wurde angehalten.</translation>
    </message>
    <message>
        <source>It did not answer in time.</source>
        <translation>Er hat nicht rechtzeitig geantwortet.</translation>
    </message>
    <message>
        <source>Its answer could not be read ({kind}).</source>
        <translation>Seine Antwort konnte nicht gelesen werden ({kind}).</translation>
    </message>
    <message>
        <source>It is not running.</source>
        <translation>Er läuft nicht.</translation>
    </message>
    <message>
        <source>The sign-in was declined.</source>
        <translation>Die Anmeldung wurde abgelehnt.</translation>
    </message>
    <message>
        <source>It ended.</source>
        <translation>Er wurde beendet.</translation>
    </message>
    <message>
        <source>Its answer does not follow the protocol.</source>
        <translation>Seine Antwort folgt nicht dem Protokoll.</translation>
    </message>
    <message>
        <source>It did not answer in {seconds} s (Settings, Tools).</source>
        <translation>Er hat in {seconds} s nicht geantwortet (Einstellungen, Werkzeuge).</translation>
    </message>
    <message>
        <source>The program {name} was not found.</source>
        <translation>Das Programm {name} wurde nicht gefunden.</translation>
    </message>
    <message>
        <source>The program {name} may not be run.</source>
        <translation>Das Programm {name} darf nicht ausgeführt werden.</translation>
    </message>
    <message>
        <source>It cannot be reached.</source>
        <translation>Er ist nicht zu erreichen.</translation>
    </message>
    <message>
        <source>It refused the connection: {reason}</source>
        <translation>Er hat die Verbindung abgelehnt: {reason}</translation>
    </message>
    <message>
        <source>The connection failed ({kind}).</source>
        <translation>Die Verbindung ist fehlgeschlagen ({kind}).</translation>
    </message>
    <message>
        <source>It asked to sign in again right after you had signed in.</source>
        <translation>Er verlangte gleich nach Ihrer Anmeldung eine weitere.</translation>
    </message>
    <message>
        <source>It sends you to a page of another site than the one that would get your sign-in.</source>
        <translation>Er schickt Sie auf eine Seite, die nicht zu der Website gehört, die Ihre Anmeldung bekäme.</translation>
    </message>
    <message>
        <source>It sends sign-ins over an address that others could read.</source>
        <translation>Er sendet Anmeldungen über eine Adresse, die andere mitlesen könnten.</translation>
    </message>
    <message>
        <source>It sends sign-ins to an address on this computer or its network.</source>
        <translation>Er sendet Anmeldungen an eine Adresse auf diesem Computer oder in dessen Netz.</translation>
    </message>
    <message>
        <source>Nobody signed in in time.</source>
        <translation>Niemand hat sich rechtzeitig angemeldet.</translation>
    </message>
    <message>
        <source>It does not let ChatDesk register. Enter the ID of a client that you registered there.</source>
        <translation>Er lässt ChatDesk sich nicht registrieren. Geben Sie die ID eines Clients ein, den Sie dort registriert haben.</translation>
    </message>
    <message>
        <source>It did not accept the sign-in.</source>
        <translation>Er hat die Anmeldung nicht angenommen.</translation>
    </message>
    <message>
        <source>The facts that it gives about signing in contradict each other.</source>
        <translation>Seine Angaben zur Anmeldung widersprechen sich.</translation>
    </message>
    <message>
        <source>The server where you sign in could not be reached, or sent too much.</source>
        <translation>Der Server, bei dem Sie sich anmelden, war nicht zu erreichen oder sendete zu viel.</translation>
    </message>
    <message>
        <source>Signing in failed ({kind}).</source>
        <translation>Die Anmeldung ist fehlgeschlagen ({kind}).</translation>
    </message>
    <message>
        <source>It ended with exit code {code}.</source>
        <translation>Er endete mit dem Exit-Code {code}.</translation>
    </message>
    <message>
        <source>Its output is not valid UTF-8.</source>
        <translation>Seine Ausgabe ist kein gültiges UTF-8.</translation>
    </message>
    <message>
        <source>It sent more than {most} in one message.</source>
        <translation>Er sendete mehr als {most} in einer Nachricht.</translation>
    </message>
    <message>
        <source>{path} cannot be written: {reason}.</source>
        <translation>{path} kann nicht geschrieben werden: {reason}.</translation>
    </message>
    <message>
        <source>There is nothing here.</source>
        <translation>Hier ist nichts.</translation>
    </message>
    <message>
        <source>This answer belongs to no sign-in that ChatDesk waits for.</source>
        <translation>Diese Antwort gehört zu keiner Anmeldung, auf die ChatDesk wartet.</translation>
    </message>
    <message>
        <source>The sign-in was declined. You can close this page.</source>
        <translation>Die Anmeldung wurde abgelehnt. Sie können diese Seite schließen.</translation>
    </message>
    <message>
        <source>ChatDesk has the answer. You can close this page.</source>
        <translation>ChatDesk hat die Antwort. Sie können diese Seite schließen.</translation>
    </message>
    <message>
        <source>It is not JSON.</source>
        <translation>Es ist kein JSON.</translation>
    </message>
    <message>
        <source>It is cut off.</source>
        <translation>Es ist abgeschnitten.</translation>
    </message>
    <message>
        <source>It is nested {count} levels deep.</source>
        <translation>Es ist {count} Ebenen tief verschachtelt.</translation>
    </message>
    <message>
        <source>It is nested too deeply.</source>
        <translation>Es ist zu tief verschachtelt.</translation>
    </message>
    <message>
        <source>The folder of the service {path} cannot be written to: {reason}.</source>
        <translation>In den Ordner des Dienstes {path} kann nicht geschrieben werden: {reason}.</translation>
    </message>
    <message>
        <source>Check its owner and permissions, or choose another --data-dir.</source>
        <translation>Prüfen Sie Eigentümer und Rechte, oder wählen Sie ein anderes --data-dir.</translation>
    </message>
    <message>
        <source>The service cannot listen: {reason}.</source>
        <translation>Der Dienst kann nicht lauschen: {reason}.</translation>
    </message>
    <message>
        <source>Choose another port in the settings, or 0 for any that is free.</source>
        <translation>Wählen Sie in den Einstellungen einen anderen Port, oder 0 für irgendeinen freien.</translation>
    </message>
    <message>
        <source>The address of the service cannot be written: {reason}.</source>
        <translation>Die Adresse des Dienstes kann nicht geschrieben werden: {reason}.</translation>
    </message>
    <message>
        <source>The settings name another address for the service, but no token may be used there.</source>
        <translation>Die Einstellungen nennen eine weitere Adresse für den Dienst, aber kein Token darf dort verwendet werden.</translation>
    </message>
    <message>
        <source>The service was not started.</source>
        <translation>Der Dienst wurde nicht gestartet.</translation>
    </message>
    <message>
        <source>Make one with &apos;chatdesk tokens new NAME --scope remote&apos;, or leave the address empty.</source>
        <translation>Legen Sie eines an mit &apos;chatdesk tokens new NAME --scope remote&apos;, oder lassen Sie die Adresse leer.</translation>
    </message>
    <message>
        <source>The address of the service must be a name or number of this computer with a port.</source>
        <translation>Die Adresse des Dienstes muss ein Name oder eine IP-Adresse dieses Computers mit einem Port sein.</translation>
    </message>
    <message>
        <source>For example 192.168.1.5:8443, the address at which others reach this computer.</source>
        <translation>Zum Beispiel 192.168.1.5:8443, die Adresse, unter der andere diesen Computer erreichen.</translation>
    </message>
    <message>
        <source>Another address than this computer&apos;s own needs TLS.</source>
        <translation>Eine andere Adresse als die eigene dieses Computers braucht TLS.</translation>
    </message>
    <message>
        <source>Name the files of a certificate and its key in the settings, or leave the address empty.</source>
        <translation>Nennen Sie in den Einstellungen die Dateien eines Zertifikats und seines Schlüssels, oder lassen Sie die Adresse leer.</translation>
    </message>
    <message>
        <source>The certificate of the service cannot be used: {reason}.</source>
        <translation>Das Zertifikat des Dienstes kann nicht verwendet werden: {reason}.</translation>
    </message>
    <message>
        <source>Both files must be in PEM format and belong together, and the key must have no passphrase.</source>
        <translation>Beide Dateien müssen im PEM-Format sein und zusammengehören, und der Schlüssel darf keine Passphrase haben.</translation>
    </message>
    <message>
        <source>“{origin}” is not the origin of web pages.</source>
        <translation>„{origin}“ ist nicht der Ursprung von Webseiten.</translation>
    </message>
    <message>
        <source>An origin is a scheme, a name and a port if there is one: https://tool.example.</source>
        <translation>Ein Ursprung ist ein Schema, ein Name und gegebenenfalls ein Port: https://tool.example.</translation>
    </message>
    <message>
        <source>Project folder</source>
        <translation>Ordner des Projekts</translation>
    </message>
    <message>
        <source>List a folder of the project</source>
        <translation>Einen Ordner des Projekts auflisten</translation>
    </message>
    <message>
        <source>Find files of the project</source>
        <translation>Dateien des Projekts suchen</translation>
    </message>
    <message>
        <source>Read a file of the project</source>
        <translation>Eine Datei des Projekts lesen</translation>
    </message>
    <message>
        <source>Propose a change to a file of the project</source>
        <translation>Eine Änderung an einer Datei des Projekts vorschlagen</translation>
    </message>
    <message>
        <source>A temporary chat keeps nothing, so no change is proposed in it.</source>
        <translation>Ein temporärer Chat behält nichts, deshalb wird darin keine Änderung vorgeschlagen.</translation>
    </message>
    <message>
        <source>Files of a folder can be used on Linux and macOS only.</source>
        <translation>Dateien eines Ordners können nur unter Linux und macOS verwendet werden.</translation>
    </message>
    <message>
        <source>Nothing was read.</source>
        <translation>Es wurde nichts gelesen.</translation>
    </message>
    <message>
        <source>The project of this thread has no folder on this computer.</source>
        <translation>Das Projekt dieser Unterhaltung hat auf diesem Computer keinen Ordner.</translation>
    </message>
    <message>
        <source>The web</source>
        <translation>Das Web</translation>
    </message>
    <message>
        <source>Search the web</source>
        <translation>Im Web suchen</translation>
    </message>
    <message>
        <source>Read a web page</source>
        <translation>Eine Webseite lesen</translation>
    </message>
    <message numerus="yes">
        <source>Questions in this thread go to {count} models.</source>
        <comment>Questions in this thread go to {count} model.</comment>
        <translation>
            <numerusform>Fragen in dieser Unterhaltung gehen an {count} Modell.</numerusform>
            <numerusform>Fragen in dieser Unterhaltung gehen an {count} Modelle.</numerusform>
        </translation>
    </message>
    <message>
        <source>It sent too many messages that nobody asked for, more than {count} in a second.</source>
        <translation>Er sendete zu viele Nachrichten, nach denen niemand gefragt hatte: mehr als {count} in einer Sekunde.</translation>
    </message>
    <message>
        <source>It wrote too much that nobody asked for, more than {count} bytes in a second.</source>
        <translation>Er schrieb zu viel, wonach niemand gefragt hatte: mehr als {count} Bytes in einer Sekunde.</translation>
    </message>
    <message>
        <source>The server has lost nothing.</source>
        <translation>Der Server hat nichts verloren.</translation>
    </message>
    <message>
        <source>“{project}” goes on without them. Every computer fetches it again.</source>
        <translation>„{project}“ läuft ohne sie weiter. Jeder Computer holt es noch einmal.</translation>
    </message>
    <message>
        <source>Every computer fetches the project again and sends what its person wrote and still has. What nobody sends stays only where it is now. If there is a backup of the server that has these changes, restore that instead.</source>
        <translation>Jeder Computer holt das Projekt noch einmal und sendet, was sein Benutzer geschrieben hat und noch hat. Was niemand sendet, bleibt nur dort, wo es jetzt ist. Gibt es eine Sicherung des Servers mit diesen Änderungen, stellen Sie lieber diese wieder her.</translation>
    </message>
    <message>
        <source>Whoever joins the project gets only what comes before the first of them.</source>
        <translation>Wer dem Projekt beitritt, bekommt nur, was vor der ersten von ihnen kommt.</translation>
    </message>
    <message>
        <source>An owner of the project can let it go on without them.</source>
        <translation>Ein Eigentümer des Projekts kann es ohne sie fortfahren lassen.</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes (numbers {first} to {last}), made between {after} and {before}.</source>
        <comment>{count} change (number {first}), made between {after} and {before}.</comment>
        <translation>
            <numerusform>{count} Änderung (Nummer {first}), gemacht zwischen {after} und {before}.</numerusform>
            <numerusform>{count} Änderungen (Nummern {first} bis {last}), gemacht zwischen {after} und {before}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} changes (numbers {first} to {last}), made since {after}.</source>
        <comment>{count} change (number {first}), made since {after}.</comment>
        <translation>
            <numerusform>{count} Änderung (Nummer {first}), gemacht seit {after}.</numerusform>
            <numerusform>{count} Änderungen (Nummern {first} bis {last}), gemacht seit {after}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} changes (numbers {first} to {last}), the first of the project.</source>
        <comment>{count} change (number {first}), the first of the project.</comment>
        <translation>
            <numerusform>{count} Änderung (Nummer {first}), die erste des Projekts.</numerusform>
            <numerusform>{count} Änderungen (Nummern {first} bis {last}), die ersten des Projekts.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>“{project}”: the server has lost {count} changes.</source>
        <comment>“{project}”: the server has lost {count} change.</comment>
        <translation>
            <numerusform>„{project}“: Der Server hat {count} Änderung verloren.</numerusform>
            <numerusform>„{project}“: Der Server hat {count} Änderungen verloren.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Let “{project}” go on without {count} changes?</source>
        <comment>Let “{project}” go on without {count} change?</comment>
        <translation>
            <numerusform>„{project}“ ohne {count} Änderung fortfahren lassen?</numerusform>
            <numerusform>„{project}“ ohne {count} Änderungen fortfahren lassen?</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>“{project}”: on {day}, {who} let it go on without {count} changes that the server had lost.</source>
        <comment>“{project}”: on {day}, {who} let it go on without {count} change that the server had lost.</comment>
        <translation>
            <numerusform>„{project}“: {who} hat es am {day} ohne {count} Änderung fortfahren lassen, die der Server verloren hatte.</numerusform>
            <numerusform>„{project}“: {who} hat es am {day} ohne {count} Änderungen fortfahren lassen, die der Server verloren hatte.</numerusform>
        </translation>
    </message>
    <message>
        <source>Search your earlier threads</source>
        <translation>Ihre früheren Unterhaltungen durchsuchen</translation>
    </message>
    <message>
        <source>Read an earlier thread</source>
        <translation>Eine frühere Unterhaltung lesen</translation>
    </message>
    <message>
        <source>Read a file of an earlier thread</source>
        <translation>Eine Datei einer früheren Unterhaltung lesen</translation>
    </message>
    <message>
        <source>Results are below: up and down choose, Enter opens one</source>
        <translation>Die Ergebnisse stehen darunter: Pfeil nach oben und unten wählen, Enter öffnet eines</translation>
    </message>
    <message>
        <source>Side by side</source>
        <translation>Nebeneinander</translation>
    </message>
    <message>
        <source>Searched the web: {what}</source>
        <translation>Im Web gesucht: {what}</translation>
    </message>
    <message>
        <source>Read {what}</source>
        <translation>{what} gelesen</translation>
    </message>
    <message>
        <source>Searched your threads: {what}</source>
        <translation>Ihre Unterhaltungen durchsucht: {what}</translation>
    </message>
    <message>
        <source>Looked into the folder {what}</source>
        <translation>In den Ordner {what} gesehen</translation>
    </message>
    <message>
        <source>Looked for files: {what}</source>
        <translation>Dateien gesucht: {what}</translation>
    </message>
    <message>
        <source>Proposed a change to {what}</source>
        <translation>Eine Änderung an {what} vorgeschlagen</translation>
    </message>
    <message>
        <source>Looked for a tool</source>
        <translation>Ein Werkzeug gesucht</translation>
    </message>
    <message>
        <source>Asked {server}: {what}</source>
        <translation>{server} gefragt: {what}</translation>
    </message>
    <message numerus="yes">
        <source>{count} steps</source>
        <comment>{count} step</comment>
        <translation>
            <numerusform>{count} Schritt</numerusform>
            <numerusform>{count} Schritte</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} failed</source>
        <comment>{count} failed</comment>
        <translation>
            <numerusform>{count} fehlgeschlagen</numerusform>
            <numerusform>{count} fehlgeschlagen</numerusform>
        </translation>
    </message>
    <message>
        <source>Check against the server again, and accept what is missing then. The log was closed up to there already, and no change was lost by that.</source>
        <translation>Gleichen Sie noch einmal mit dem Server ab, und akzeptieren Sie, was dann fehlt. Das Protokoll wurde bis dorthin schon geschlossen, und dadurch ging keine Änderung verloren.</translation>
    </message>
    <message>
        <source>An answer in a shared project is still being written.</source>
        <translation>In einem geteilten Projekt wird noch eine Antwort geschrieben.</translation>
    </message>
    <message>
        <source>Wait until it ends, or stop it, then connect again.</source>
        <translation>Warten Sie auf ihr Ende oder halten Sie sie an, und verbinden Sie dann wieder.</translation>
    </message>
    <message>
        <source>No program opened {address}.</source>
        <translation>Kein Programm hat {address} geöffnet.</translation>
    </message>
    <message>
        <source>{name}, page {page} — {heading}</source>
        <translation>{name}, Seite {page} — {heading}</translation>
    </message>
    <message>
        <source>{name}, page {page}</source>
        <translation>{name}, Seite {page}</translation>
    </message>
    <message>
        <source>This looks like a secret.</source>
        <translation>Das sieht nach einem Geheimnis aus.</translation>
    </message>
    <message>
        <source>Say that it is to be read all the same, or choose another place.</source>
        <translation>Sagen Sie, dass es trotzdem gelesen werden soll, oder wählen Sie einen anderen Ort.</translation>
    </message>
    <message>
        <source>There is no file {path}.</source>
        <translation>Es gibt keine Datei {path}.</translation>
    </message>
    <message>
        <source>Choose a file that exists on this computer.</source>
        <translation>Wählen Sie eine Datei, die es auf diesem Computer gibt.</translation>
    </message>
    <message>
        <source>“{name}” looks like a secret.</source>
        <translation>„{name}“ sieht nach einem Geheimnis aus.</translation>
    </message>
    <message>
        <source>This file is not on this computer.</source>
        <translation>Diese Datei ist nicht auf diesem Computer.</translation>
    </message>
    <message>
        <source>There is no folder or file {place}.</source>
        <translation>Es gibt keinen Ordner und keine Datei {place}.</translation>
    </message>
    <message>
        <source>Give the path of a folder or file, or an address that begins with https://.</source>
        <translation>Geben Sie den Pfad eines Ordners oder einer Datei oder eine Adresse an, die mit https:// beginnt.</translation>
    </message>
    <message>
        <source>This folder or file cannot be read.</source>
        <translation>Dieser Ordner oder diese Datei kann nicht gelesen werden.</translation>
    </message>
    <message>
        <source>What was read from it before is kept.</source>
        <translation>Was vorher daraus gelesen wurde, bleibt erhalten.</translation>
    </message>
    <message>
        <source>Make it available again, or remove it from the files of the project.</source>
        <translation>Machen Sie ihn oder sie wieder verfügbar, oder entfernen Sie den Eintrag aus den Dateien des Projekts.</translation>
    </message>
    <message>
        <source>“{name}” is not a file.</source>
        <translation>„{name}“ ist keine Datei.</translation>
    </message>
    <message>
        <source>“{name}” is not a folder.</source>
        <translation>„{name}“ ist kein Ordner.</translation>
    </message>
    <message>
        <source>“{place}” cannot be read: {reason}.</source>
        <translation>„{place}“ kann nicht gelesen werden: {reason}.</translation>
    </message>
    <message>
        <source>This project does not exist.</source>
        <translation>Dieses Projekt gibt es nicht.</translation>
    </message>
    <message>
        <source>“{place}” is among the files of this project already.</source>
        <translation>„{place}“ gehört schon zu den Dateien dieses Projekts.</translation>
    </message>
    <message>
        <source>This folder, file or page is not among the files of a project.</source>
        <translation>Dieser Ordner, diese Datei oder Seite gehört nicht zu den Dateien eines Projekts.</translation>
    </message>
    <message>
        <source>Files of the project</source>
        <translation>Dateien des Projekts</translation>
    </message>
    <message>
        <source>Search the files of the project</source>
        <translation>Die Dateien des Projekts durchsuchen</translation>
    </message>
    <message>
        <source>Read on in a file of the project</source>
        <translation>In einer Datei des Projekts weiterlesen</translation>
    </message>
    <message>
        <source>Read this all the same?</source>
        <translation>Trotzdem lesen?</translation>
    </message>
    <message>
        <source>{looks} What it says can go with questions to those who get the files of the project.</source>
        <translation>{looks} Was darin steht, kann mit Fragen an alle gehen, die die Dateien des Projekts bekommen.</translation>
    </message>
    <message>
        <source>Read it</source>
        <translation>Lesen</translation>
    </message>
    <message>
        <source>Remove this from the files of the project?</source>
        <translation>Dies aus den Dateien des Projekts entfernen?</translation>
    </message>
    <message>
        <source>ChatDesk forgets what it read from “{place}”. Nothing is deleted there.</source>
        <translation>ChatDesk vergisst, was es aus „{place}“ gelesen hat. Dort wird nichts gelöscht.</translation>
    </message>
    <message>
        <source>The passage is not on this page: the file may have changed since it was read.</source>
        <translation>Die Stelle ist nicht auf dieser Seite: Die Datei hat sich vielleicht geändert, seit sie gelesen wurde.</translation>
    </message>
    <message>
        <source>This passage is no longer in the files of the project: the file changed, or was removed.</source>
        <translation>Diese Stelle ist nicht mehr in den Dateien des Projekts: Die Datei wurde geändert oder entfernt.</translation>
    </message>
    <message>
        <source>The answer is unchanged.</source>
        <translation>Die Antwort ist unverändert.</translation>
    </message>
    <message>
        <source>Ask again to search the files as they are now.</source>
        <translation>Fragen Sie erneut, um die Dateien in ihrem jetzigen Stand zu durchsuchen.</translation>
    </message>
    <message>
        <source>Open the file</source>
        <translation>Datei öffnen</translation>
    </message>
    <message>
        <source>Previous page</source>
        <translation>Vorige Seite</translation>
    </message>
    <message>
        <source>Next page</source>
        <translation>Nächste Seite</translation>
    </message>
    <message>
        <source>Smaller</source>
        <translation>Kleiner</translation>
    </message>
    <message>
        <source>Larger</source>
        <translation>Größer</translation>
    </message>
    <message>
        <source>Show the text of the page</source>
        <translation>Text der Seite zeigen</translation>
    </message>
    <message>
        <source>Page</source>
        <translation>Seite</translation>
    </message>
    <message>
        <source>Show the page</source>
        <translation>Seite zeigen</translation>
    </message>
    <message>
        <source>Page {page} of {total}</source>
        <translation>Seite {page} von {total}</translation>
    </message>
    <message>
        <source>Page {page}</source>
        <translation>Seite {page}</translation>
    </message>
    <message>
        <source>Memory is off.</source>
        <translation>Das Gedächtnis ist aus.</translation>
    </message>
    <message>
        <source>Memories are not sent to this provider: you did not allow it.</source>
        <translation>Erinnerungen werden nicht an diesen Anbieter gesendet: Sie haben es nicht erlaubt.</translation>
    </message>
    <message>
        <source>Memories are not sent in a shared project.</source>
        <translation>In einem geteilten Projekt werden keine Erinnerungen gesendet.</translation>
    </message>
    <message>
        <source>Memories are not sent in a temporary chat.</source>
        <translation>In einem temporären Chat werden keine Erinnerungen gesendet.</translation>
    </message>
    <message>
        <source>A memory needs a text.</source>
        <translation>Eine Erinnerung braucht einen Text.</translation>
    </message>
    <message>
        <source>Write one sentence.</source>
        <translation>Schreiben Sie einen Satz.</translation>
    </message>
    <message>
        <source>The memory has {count} characters; the most is {most}.</source>
        <translation>Die Erinnerung hat {count} Zeichen; höchstens {most} sind möglich.</translation>
    </message>
    <message>
        <source>Shorten it to what matters.</source>
        <translation>Kürzen Sie sie auf das Wesentliche.</translation>
    </message>
    <message numerus="yes">
        <source>about {count} hours left</source>
        <comment>about {count} hour left</comment>
        <translation>
            <numerusform>noch etwa {count} Stunde</numerusform>
            <numerusform>noch etwa {count} Stunden</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>about {count} minutes left</source>
        <comment>about {count} minute left</comment>
        <translation>
            <numerusform>noch etwa {count} Minute</numerusform>
            <numerusform>noch etwa {count} Minuten</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>about {count} seconds left</source>
        <comment>about {count} second left</comment>
        <translation>
            <numerusform>noch etwa {count} Sekunde</numerusform>
            <numerusform>noch etwa {count} Sekunden</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} look like secrets, not read</source>
        <comment>{count} looks like a secret, not read</comment>
        <translation>
            <numerusform>{count} sieht nach einem Geheimnis aus, nicht gelesen</numerusform>
            <numerusform>{count} sehen nach Geheimnissen aus, nicht gelesen</numerusform>
        </translation>
    </message>
    <message>
        <source>not tried yet</source>
        <translation>noch nicht ausprobiert</translation>
    </message>
    <message>
        <source>found at place {place}</source>
        <translation>gefunden auf Platz {place}</translation>
    </message>
    <message>
        <source>not found</source>
        <translation>nicht gefunden</translation>
    </message>
    <message>
        <source>at place {place}</source>
        <translation>auf Platz {place}</translation>
    </message>
    <message>
        <source>{outcome} (before: {earlier})</source>
        <translation>{outcome} (vorher: {earlier})</translation>
    </message>
    <message>
        <source>Another computer shares “{place}” with this project.</source>
        <translation>Ein anderer Computer teilt „{place}“ mit diesem Projekt.</translation>
    </message>
    <message>
        <source>Pause it, and ask the person who shares it to end that.</source>
        <translation>Pausieren Sie es, und bitten Sie die Person, die es teilt, das zu beenden.</translation>
    </message>
    <message>
        <source>Files are shared by the owners and admins of a shared project, from their own computers.</source>
        <translation>Dateien werden von den Eigentümern und Verwaltern eines geteilten Projekts geteilt, von deren eigenen Computern.</translation>
    </message>
    <message>
        <source>It is damaged and cannot be drawn.</source>
        <translation>Sie ist beschädigt und kann nicht gezeichnet werden.</translation>
    </message>
    <message>
        <source>This page cannot be drawn.</source>
        <translation>Diese Seite kann nicht gezeichnet werden.</translation>
    </message>
    <message>
        <source>Read its text instead, or open the file in another program.</source>
        <translation>Lesen Sie stattdessen ihren Text, oder öffnen Sie die Datei in einem anderen Programm.</translation>
    </message>
    <message>
        <source>Name the model for embeddings.</source>
        <translation>Geben Sie das Embedding-Modell an.</translation>
    </message>
    <message>
        <source>The files of this project are never sent to this provider.</source>
        <translation>Die Dateien dieses Projekts werden nie an diesen Anbieter gesendet.</translation>
    </message>
    <message>
        <source>Let it have them first, or choose another provider.</source>
        <translation>Erlauben Sie es ihm zuerst, oder wählen Sie einen anderen Anbieter.</translation>
    </message>
    <message>
        <source>“{model}” did not answer in time.</source>
        <translation>„{model}“ hat nicht rechtzeitig geantwortet.</translation>
    </message>
    <message>
        <source>No provider can be asked here.</source>
        <translation>Hier kann kein Anbieter gefragt werden.</translation>
    </message>
    <message>
        <source>The vectors of “{model}” cannot be used.</source>
        <translation>Die Vektoren von „{model}“ sind nicht brauchbar.</translation>
    </message>
    <message>
        <source>The vectors of “{model}” have {found} numbers now, and had {known}.</source>
        <translation>Die Vektoren von „{model}“ haben jetzt {found} Zahlen, vorher waren es {known}.</translation>
    </message>
    <message>
        <source>Memory is off, so nothing was remembered.</source>
        <translation>Das Gedächtnis ist aus, deshalb wurde nichts gemerkt.</translation>
    </message>
    <message>
        <source>Nothing was kept.</source>
        <translation>Es wurde nichts behalten.</translation>
    </message>
    <message>
        <source>Turn it on in Settings, Context, Memory.</source>
        <translation>Schalten Sie es unter Einstellungen, Kontext, Gedächtnis ein.</translation>
    </message>
    <message>
        <source>The memories are unchanged.</source>
        <translation>Die Erinnerungen sind unverändert.</translation>
    </message>
    <message>
        <source>Nothing in the files of the project fits this question.</source>
        <translation>Nichts in den Dateien des Projekts passt zu dieser Frage.</translation>
    </message>
    <message>
        <source>What was found in the files of the project did not fit into the request.</source>
        <translation>Was in den Dateien des Projekts gefunden wurde, passte nicht in die Anfrage.</translation>
    </message>
    <message>
        <source>The files of the project were not sent: this provider never gets them.</source>
        <translation>Die Dateien des Projekts wurden nicht gesendet: Dieser Anbieter bekommt sie nie.</translation>
    </message>
    <message>
        <source>Remember facts that you confirm</source>
        <translation>Fakten merken, die Sie bestätigen</translation>
    </message>
    <message>
        <source>Off: nothing is kept or sent. What is there stays until you delete it.</source>
        <translation>Aus: Es wird nichts behalten oder gesendet. Was da ist, bleibt, bis Sie es löschen.</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>Gedächtnis</translation>
    </message>
    <message>
        <source>memories remember facts</source>
        <translation>Erinnerungen merken Fakten</translation>
    </message>
    <message>
        <source>Propose memories below an answer</source>
        <translation>Erinnerungen unter einer Antwort vorschlagen</translation>
    </message>
    <message>
        <source>A sentence of your question that is about you. Nothing is kept unless you confirm it.</source>
        <translation>Ein Satz Ihrer Frage, der von Ihnen handelt. Nichts wird behalten, das Sie nicht bestätigen.</translation>
    </message>
    <message>
        <source>A sentence of yours that is about you. Nothing is kept unless you confirm it.</source>
        <translation>Ein Satz von Ihnen, der von Ihnen handelt. Nichts wird behalten, das Sie nicht bestätigen.</translation>
    </message>
    <message>
        <source>Memories take at most</source>
        <translation>Erinnerungen belegen höchstens</translation>
    </message>
    <message>
        <source>tokens of a request</source>
        <translation>Token einer Anfrage</translation>
    </message>
    <message>
        <source>Providers that are sent memories</source>
        <translation>Anbieter, die Erinnerungen bekommen</translation>
    </message>
    <message>
        <source>A question and the file that should be found are both needed, in few words.</source>
        <translation>Eine Frage und die Datei, die gefunden werden soll, werden beide gebraucht, in wenigen Wörtern.</translation>
    </message>
    <message>
        <source>A project keeps at most {count} questions.</source>
        <translation>Ein Projekt speichert höchstens {count} Fragen.</translation>
    </message>
    <message>
        <source>Remove some first.</source>
        <translation>Entfernen Sie zuerst einige.</translation>
    </message>
    <message>
        <source>Another memory says the same.</source>
        <translation>Eine andere Erinnerung sagt dasselbe.</translation>
    </message>
    <message>
        <source>Delete one of the two.</source>
        <translation>Löschen Sie eine der beiden.</translation>
    </message>
    <message>
        <source>ChatDesk keeps {most} memories at most.</source>
        <translation>ChatDesk behält höchstens {most} Erinnerungen.</translation>
    </message>
    <message>
        <source>Delete some that no longer matter.</source>
        <translation>Löschen Sie einige, die nicht mehr wichtig sind.</translation>
    </message>
    <message>
        <source>This memory does not exist.</source>
        <translation>Diese Erinnerung gibt es nicht.</translation>
    </message>
    <message>
        <source>Memories are not sent in a shared project, so none is kept for it alone.</source>
        <translation>In einem geteilten Projekt werden keine Erinnerungen gesendet, deshalb wird keine nur dafür behalten.</translation>
    </message>
    <message>
        <source>Keep it everywhere.</source>
        <translation>Behalten Sie sie für überall.</translation>
    </message>
    <message>
        <source>My computers</source>
        <translation>Meine Computer</translation>
    </message>
    <message>
        <source>Me</source>
        <translation>Ich</translation>
    </message>
    <message>
        <source>The key of your computers cannot be found on this one.</source>
        <translation>Der Schlüssel Ihrer Computer ist auf diesem nicht zu finden.</translation>
    </message>
    <message>
        <source>Unlock the keyring, or join again with the recovery phrase: &apos;chatdesk computers join&apos;.</source>
        <translation>Entsperren Sie den Schlüsselbund, oder treten Sie mit der Wiederherstellungsphrase wieder bei: &apos;chatdesk computers join&apos;.</translation>
    </message>
    <message>
        <source>This computer cannot keep the key of your computers.</source>
        <translation>Dieser Computer kann den Schlüssel Ihrer Computer nicht aufbewahren.</translation>
    </message>
    <message>
        <source>This folder is not empty.</source>
        <translation>Dieser Ordner ist nicht leer.</translation>
    </message>
    <message>
        <source>Choose an empty folder, or a new one inside. If your other computer uses this one, join it with the phrase.</source>
        <translation>Wählen Sie einen leeren Ordner oder einen neuen darin. Wenn Ihr anderer Computer diesen verwendet, treten Sie ihm mit der Phrase bei.</translation>
    </message>
    <message>
        <source>No computer of yours has written into this folder, as far as it has arrived here.</source>
        <translation>Keiner Ihrer Computer hat in diesen Ordner geschrieben, soweit er hier angekommen ist.</translation>
    </message>
    <message>
        <source>Wait until the folder has been carried here, or look whether it is the right one.</source>
        <translation>Warten Sie, bis der Ordner hierher übertragen ist, oder prüfen Sie, ob es der richtige ist.</translation>
    </message>
    <message>
        <source>The recovery phrase is not the one of this folder.</source>
        <translation>Die Wiederherstellungsphrase gehört nicht zu diesem Ordner.</translation>
    </message>
    <message>
        <source>Use the phrase that was shown when the first computer began with this folder, or when one was removed since.</source>
        <translation>Verwenden Sie die Phrase, die gezeigt wurde, als der erste Computer mit diesem Ordner begann oder als zuletzt einer entfernt wurde.</translation>
    </message>
    <message>
        <source>It is there.</source>
        <translation>Er ist da.</translation>
    </message>
    <message>
        <source>This is a file. Choose a folder.</source>
        <translation>Das ist eine Datei. Wählen Sie einen Ordner.</translation>
    </message>
    <message>
        <source>It is made when you go on.</source>
        <translation>Er wird angelegt, wenn Sie fortfahren.</translation>
    </message>
    <message>
        <source>It is not there, nor is the folder around it. Connect the disk, or look again.</source>
        <translation>Er ist nicht da, und auch der Ordner darüber nicht. Schließen Sie den Datenträger an, oder sehen Sie noch einmal nach.</translation>
    </message>
    <message>
        <source>It cannot be written: {reason}.</source>
        <translation>In ihn kann nicht geschrieben werden: {reason}.</translation>
    </message>
    <message>
        <source>It can be written.</source>
        <translation>In ihn kann geschrieben werden.</translation>
    </message>
    <message>
        <source>Contents</source>
        <translation>Inhalt</translation>
    </message>
    <message>
        <source>{problem}</source>
        <translation>{problem}</translation>
    </message>
    <message>
        <source>Another computer of yours uses it already. Cancel, and choose Join.</source>
        <translation>Ein anderer Computer von Ihnen verwendet ihn schon. Brechen Sie ab, und wählen Sie „Beitreten“.</translation>
    </message>
    <message>
        <source>It is a folder of ChatDesk.</source>
        <translation>Es ist ein Ordner von ChatDesk.</translation>
    </message>
    <message>
        <source>The folder is empty.</source>
        <translation>Der Ordner ist leer.</translation>
    </message>
    <message>
        <source>It has other files. Choose an empty folder, or a new one inside.</source>
        <translation>Er enthält andere Dateien. Wählen Sie einen leeren Ordner oder einen neuen darin.</translation>
    </message>
    <message>
        <source>This computer has not joined any others.</source>
        <translation>Dieser Computer ist keinem anderen beigetreten.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers start&apos; or &apos;join&apos; does that.</source>
        <translation>&apos;chatdesk computers start&apos; oder &apos;join&apos; macht das.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers status&apos; lists them.</source>
        <translation>&apos;chatdesk computers status&apos; listet sie auf.</translation>
    </message>
    <message>
        <source>The exchange with your other computers is paused.</source>
        <translation>Der Austausch mit Ihren anderen Computern ist pausiert.</translation>
    </message>
    <message>
        <source>Nothing is read or written in the folder.</source>
        <translation>Im Ordner wird nichts gelesen oder geschrieben.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers resume&apos; goes on.</source>
        <translation>&apos;chatdesk computers resume&apos; setzt ihn fort.</translation>
    </message>
    <message>
        <source>Name it by its id: &apos;chatdesk computers status --json&apos; has them.</source>
        <translation>Geben Sie seine Kennung an: &apos;chatdesk computers status --json&apos; nennt sie.</translation>
    </message>
    <message>
        <source>This computer has left the folder, and your chats are kept.</source>
        <translation>Dieser Computer hat den Ordner verlassen, und Ihre Chats bleiben erhalten.</translation>
    </message>
    <message>
        <source>This profile has chats already.</source>
        <translation>In diesem Profil gibt es schon Chats.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers join&apos; merges them with those of the folder.</source>
        <translation>&apos;chatdesk computers join&apos; führt sie mit denen des Ordners zusammen.</translation>
    </message>
    <message>
        <source>Several computers are called {name}.</source>
        <translation>Mehrere Computer heißen {name}.</translation>
    </message>
    <message>
        <source>None of your computers is called {name}.</source>
        <translation>Keiner Ihrer Computer heißt {name}.</translation>
    </message>
    <message>
        <source>This is the computer that you use.</source>
        <translation>Das ist der Computer, den Sie gerade benutzen.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers leave&apos; forgets the folder.</source>
        <translation>&apos;chatdesk computers leave&apos; vergisst den Ordner.</translation>
    </message>
    <message>
        <source>The copies that were kept for the folder cannot be removed: {reason}.</source>
        <translation>Die für den Ordner aufbewahrten Kopien können nicht entfernt werden: {reason}.</translation>
    </message>
    <message>
        <source>Remove {folder} by hand.</source>
        <translation>Entfernen Sie {folder} von Hand.</translation>
    </message>
    <message>
        <source>This computer has joined already.</source>
        <translation>Dieser Computer ist schon beigetreten.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers status&apos;</source>
        <translation>&apos;chatdesk computers status&apos;</translation>
    </message>
    <message>
        <source>That is not a recovery phrase of ChatDesk.</source>
        <translation>Das ist keine Wiederherstellungsphrase von ChatDesk.</translation>
    </message>
    <message>
        <source>It has seven groups of four letters and digits. Compare each with what was shown at the start.</source>
        <translation>Sie hat sieben Gruppen zu je vier Buchstaben und Ziffern. Vergleichen Sie jede mit dem, was am Anfang gezeigt wurde.</translation>
    </message>
    <message>
        <source>The folder of your computers cannot be reached.</source>
        <translation>Der Ordner Ihrer Computer ist nicht erreichbar.</translation>
    </message>
    <message>
        <source>Connect the disk, or start the program that carries the folder. ChatDesk tries again by itself.</source>
        <translation>Schließen Sie den Datenträger an, oder starten Sie das Programm, das den Ordner überträgt. ChatDesk versucht es von selbst erneut.</translation>
    </message>
    <message>
        <source>The folder of your computers belongs to another recovery phrase.</source>
        <translation>Der Ordner Ihrer Computer gehört zu einer anderen Wiederherstellungsphrase.</translation>
    </message>
    <message>
        <source>Nothing was written there, and everything you wrote is kept on this computer.</source>
        <translation>Dort wurde nichts geschrieben, und alles, was Sie geschrieben haben, bleibt auf diesem Computer.</translation>
    </message>
    <message>
        <source>Put the folder back, or forget it and join again. ChatDesk tries again by itself.</source>
        <translation>Legen Sie den Ordner zurück, oder vergessen Sie ihn und treten Sie wieder bei. ChatDesk versucht es von selbst erneut.</translation>
    </message>
    <message>
        <source>The disk with the folder of your computers is full.</source>
        <translation>Der Datenträger mit dem Ordner Ihrer Computer ist voll.</translation>
    </message>
    <message>
        <source>Make room there. ChatDesk tries again by itself.</source>
        <translation>Schaffen Sie dort Platz. ChatDesk versucht es von selbst erneut.</translation>
    </message>
    <message>
        <source>The folder of your computers cannot be used: {reason}.</source>
        <translation>Der Ordner Ihrer Computer kann nicht verwendet werden: {reason}.</translation>
    </message>
    <message>
        <source>{answer}: {question}</source>
        <translation>{answer}: {question}</translation>
    </message>
    <message>
        <source>not sent: no room</source>
        <translation>nicht gesendet: kein Platz</translation>
    </message>
    <message>
        <source>not sent: does not fit the question</source>
        <translation>nicht gesendet: passt nicht zur Frage</translation>
    </message>
    <message>
        <source>not sent: left out</source>
        <translation>nicht gesendet: weggelassen</translation>
    </message>
    <message>
        <source>not sent: this provider never gets it</source>
        <translation>nicht gesendet: dieser Anbieter bekommt sie nie</translation>
    </message>
    <message>
        <source>not sent: no longer in the files</source>
        <translation>nicht gesendet: nicht mehr in den Dateien</translation>
    </message>
    <message>
        <source>From the files of the project</source>
        <translation>Aus den Dateien des Projekts</translation>
    </message>
    <message>
        <source>What was found in the files</source>
        <translation>Was in den Dateien gefunden wurde</translation>
    </message>
    <message>
        <source>Leave out</source>
        <translation>Weglassen</translation>
    </message>
    <message>
        <source>Show the passage</source>
        <translation>Stelle zeigen</translation>
    </message>
    <message>
        <source>Use again</source>
        <translation>Wieder verwenden</translation>
    </message>
    <message>
        <source>place {rank}</source>
        <translation>Platz {rank}</translation>
    </message>
    <message>
        <source>named in the question</source>
        <translation>in der Frage genannt</translation>
    </message>
    <message>
        <source>by words: {place}</source>
        <translation>nach Wörtern: {place}</translation>
    </message>
    <message>
        <source>by meaning: {place}</source>
        <translation>nach Bedeutung: {place}</translation>
    </message>
    <message>
        <source>the whole file</source>
        <translation>die ganze Datei</translation>
    </message>
    <message>
        <source>Memories of this thread</source>
        <translation>Erinnerungen dieser Unterhaltung</translation>
    </message>
    <message>
        <source>{text}: {fate}, {tokens}</source>
        <translation>{text}: {fate}, {tokens}</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories are sent</source>
        <comment>{count} memory is sent</comment>
        <translation>
            <numerusform>{count} Erinnerung wird gesendet</numerusform>
            <numerusform>{count} Erinnerungen werden gesendet</numerusform>
        </translation>
    </message>
    <message>
        <source>Send the files of the project to {provider}?</source>
        <translation>Die Dateien des Projekts an {provider} senden?</translation>
    </message>
    <message>
        <source>Send and use</source>
        <translation>Senden und verwenden</translation>
    </message>
    <message>
        <source>What is left out</source>
        <translation>Was ausgelassen wird</translation>
    </message>
    <message>
        <source>One rule a line, as in a .gitignore: “drafts/” leaves out a folder, “*.log” an ending, and “!keep.log” takes a file in again. What is left out is forgotten at once.</source>
        <translation>Eine Regel je Zeile, wie in einer .gitignore: „drafts/“ lässt einen Ordner aus, „*.log“ eine Endung, und „!keep.log“ nimmt eine Datei wieder auf. Was ausgelassen wird, ist sofort vergessen.</translation>
    </message>
    <message>
        <source>Rules</source>
        <translation>Regeln</translation>
    </message>
    <message>
        <source>{title}, page {page} of {total}</source>
        <translation>{title}, Seite {page} von {total}</translation>
    </message>
    <message>
        <source>Who gets these files</source>
        <translation>Wer diese Dateien bekommt</translation>
    </message>
    <message>
        <source>Untick a provider, and nothing of the project&apos;s files is ever sent to it: no passage, no whole file, and nothing that tools read in them. Answers stay as they are.</source>
        <translation>Ohne Häkchen wird einem Anbieter nie etwas aus den Dateien des Projekts gesendet: keine Stelle, keine ganze Datei und nichts, was Werkzeuge darin lesen. Antworten bleiben, wie sie sind.</translation>
    </message>
    <message>
        <source>Files that look like secrets</source>
        <translation>Dateien, die nach Geheimnissen aussehen</translation>
    </message>
    <message>
        <source>By their names, these usually hold passwords or keys. One that you tick is read, and what it says can go with questions to those who get the files, but never to a team.</source>
        <translation>Dem Namen nach enthalten sie meist Passwörter oder Schlüssel. Eine angehakte wird gelesen, und was darin steht, kann mit Fragen an alle gehen, die die Dateien bekommen, aber nie an ein Team.</translation>
    </message>
    <message>
        <source>Kept questions</source>
        <translation>Gespeicherte Fragen</translation>
    </message>
    <message>
        <source>Write questions with the file that each should find. Run them now, and again after something changed.</source>
        <translation>Schreiben Sie Fragen mit der Datei, die jede finden soll. Führen Sie sie jetzt aus, und wieder, wenn sich etwas geändert hat.</translation>
    </message>
    <message>
        <source>The file to find</source>
        <translation>Die gesuchte Datei</translation>
    </message>
    <message>
        <source>Run all</source>
        <translation>Alle ausführen</translation>
    </message>
    <message>
        <source>Add a memory</source>
        <translation>Erinnerung hinzufügen</translation>
    </message>
    <message>
        <source>Edit the memory</source>
        <translation>Erinnerung bearbeiten</translation>
    </message>
    <message>
        <source>One sentence</source>
        <translation>Ein Satz</translation>
    </message>
    <message>
        <source>What to remember</source>
        <translation>Was gemerkt werden soll</translation>
    </message>
    <message>
        <source>Where it holds</source>
        <translation>Wo es gilt</translation>
    </message>
    <message>
        <source>Everywhere</source>
        <translation>Überall</translation>
    </message>
    <message>
        <source>Erase it with its message</source>
        <translation>Mit der Nachricht löschen</translation>
    </message>
    <message>
        <source>Deleted: “{text}”</source>
        <translation>Gelöscht: „{text}“</translation>
    </message>
    <message>
        <source>written by you</source>
        <translation>von Ihnen geschrieben</translation>
    </message>
    <message>
        <source>selected in a message</source>
        <translation>aus einer Nachricht</translation>
    </message>
    <message>
        <source>proposed below an answer</source>
        <translation>unter einer Antwort vorgeschlagen</translation>
    </message>
    <message>
        <source>imported</source>
        <translation>importiert</translation>
    </message>
    <message>
        <source>from another program</source>
        <translation>von einem anderen Programm</translation>
    </message>
    <message>
        <source>A project without a name</source>
        <translation>Ein Projekt ohne Namen</translation>
    </message>
    <message>
        <source>imported from {source}</source>
        <translation>importiert aus {source}</translation>
    </message>
    <message>
        <source>its message is gone</source>
        <translation>ihre Nachricht gibt es nicht mehr</translation>
    </message>
    <message>
        <source>erased with its message</source>
        <translation>wird mit der Nachricht gelöscht</translation>
    </message>
    <message>
        <source>not sent: what it belongs to is in the trash</source>
        <translation>nicht gesendet: wozu sie gehört, ist im Papierkorb</translation>
    </message>
    <message>
        <source>not sent: the project is shared</source>
        <translation>nicht gesendet: das Projekt ist geteilt</translation>
    </message>
    <message>
        <source>Select the words to remember first.</source>
        <translation>Wählen Sie zuerst die Wörter aus, die gemerkt werden sollen.</translation>
    </message>
    <message>
        <source>Nothing is remembered: memory is off, and an environment variable decides that.</source>
        <translation>Es wird nichts gemerkt: Das Gedächtnis ist aus, und eine Umgebungsvariable legt das fest.</translation>
    </message>
    <message>
        <source>Keep “{fact}” as a memory?</source>
        <translation>„{fact}“ als Erinnerung behalten?</translation>
    </message>
    <message>
        <source>Memory is off. Turn it on and keep “{fact}”?</source>
        <translation>Das Gedächtnis ist aus. Einschalten und „{fact}“ behalten?</translation>
    </message>
    <message>
        <source>Turn on and keep</source>
        <translation>Einschalten und behalten</translation>
    </message>
    <message>
        <source>Kept as a memory.</source>
        <translation>Als Erinnerung behalten.</translation>
    </message>
    <message>
        <source>This is remembered already.</source>
        <translation>Das ist schon gemerkt.</translation>
    </message>
    <message>
        <source>Remember the selection</source>
        <translation>Auswahl merken</translation>
    </message>
    <message>
        <source>Memory is off, and an environment variable decides that. Nothing can be kept.</source>
        <translation>Das Gedächtnis ist aus, und eine Umgebungsvariable legt das fest. Es kann nichts behalten werden.</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent until you turn it on.</source>
        <translation>Das Gedächtnis ist aus: Es wird nichts behalten oder gesendet, bis Sie es einschalten.</translation>
    </message>
    <message>
        <source>In this project</source>
        <translation>In diesem Projekt</translation>
    </message>
    <message>
        <source>Turn memory on and keep</source>
        <translation>Gedächtnis einschalten und behalten</translation>
    </message>
    <message>
        <source>Memories in the export</source>
        <translation>Erinnerungen im Export</translation>
    </message>
    <message>
        <source>Tick all</source>
        <translation>Alle anhaken</translation>
    </message>
    <message>
        <source>Remember the ticked ones</source>
        <translation>Angehakte merken</translation>
    </message>
    <message>
        <source>Tick those that ChatDesk shall remember. They are sent to the providers that you allow.</source>
        <translation>Haken Sie an, was ChatDesk sich merken soll. Es wird an die Anbieter gesendet, denen Sie es erlauben.</translation>
    </message>
    <message>
        <source>Memory is off, so none can be taken. If you turn it on in Settings, Context, Memory and import the file again, ChatDesk keeps those that you tick, and sends them to the providers that you allow.</source>
        <translation>Das Gedächtnis ist aus, deshalb kann keine übernommen werden. Wenn Sie es unter Einstellungen, Kontext, Gedächtnis einschalten und die Datei noch einmal importieren, behält ChatDesk die angehakten und sendet sie an die Anbieter, denen Sie es erlauben.</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories in the export</source>
        <comment>{count} memory in the export</comment>
        <translation>
            <numerusform>{count} Erinnerung im Export</numerusform>
            <numerusform>{count} Erinnerungen im Export</numerusform>
        </translation>
    </message>
    <message>
        <source>{count}. {hint}</source>
        <translation>{count}. {hint}</translation>
    </message>
    <message>
        <source>No file or folder of the project has this name: {names}.</source>
        <translation>Keine Datei und kein Ordner des Projekts heißt so: {names}.</translation>
    </message>
    <message>
        <source>Left out of the project&apos;s files: {names}.</source>
        <translation>Aus den Dateien des Projekts ausgenommen: {names}.</translation>
    </message>
    <message>
        <source>{provider} never gets files of this project: {names}.</source>
        <translation>{provider} bekommt nie Dateien dieses Projekts: {names}.</translation>
    </message>
    <message>
        <source>Not read yet: {names}.</source>
        <translation>Noch nicht gelesen: {names}.</translation>
    </message>
    <message>
        <source>Cannot be read: {names}.</source>
        <translation>Nicht lesbar: {names}.</translation>
    </message>
    <message>
        <source>Looks like a secret, and is not read: {names}.</source>
        <translation>Sieht nach einem Geheimnis aus und wird nicht gelesen: {names}.</translation>
    </message>
    <message>
        <source>Everything that you wrote here is kept on this computer, also what had not been sent.</source>
        <translation>Alles, was Sie hier geschrieben haben, bleibt auf diesem Computer, auch was noch nicht gesendet war.</translation>
    </message>
    <message>
        <source>Join again with the new recovery phrase, or forget the folder.</source>
        <translation>Treten Sie mit der neuen Wiederherstellungsphrase wieder bei, oder vergessen Sie den Ordner.</translation>
    </message>
    <message>
        <source>Everything that you wrote here is kept on this computer, and merged when you have joined again.</source>
        <translation>Alles, was Sie hier geschrieben haben, bleibt auf diesem Computer und wird zusammengeführt, sobald Sie wieder beigetreten sind.</translation>
    </message>
    <message>
        <source>Join again with the new recovery phrase. If you did not remove any, begin with another folder.</source>
        <translation>Treten Sie mit der neuen Wiederherstellungsphrase wieder bei. Wenn Sie keinen entfernt haben, beginnen Sie mit einem anderen Ordner.</translation>
    </message>
    <message>
        <source>This recovery phrase was replaced when a computer was removed.</source>
        <translation>Diese Wiederherstellungsphrase wurde ersetzt, als ein Computer entfernt wurde.</translation>
    </message>
    <message>
        <source>Use the phrase that was shown then.</source>
        <translation>Verwenden Sie die Phrase, die dabei gezeigt wurde.</translation>
    </message>
    <message>
        <source>This computer was removed on {computer}.</source>
        <translation>Dieser Computer wurde auf {computer} entfernt.</translation>
    </message>
    <message>
        <source>{name} was removed on {computer}, so there is a new recovery phrase.</source>
        <translation>{name} wurde auf {computer} entfernt, deshalb gibt es eine neue Wiederherstellungsphrase.</translation>
    </message>
</context>
</TS>

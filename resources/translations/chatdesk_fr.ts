<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="fr" sourcelanguage="en">
<context>
    <name></name>
    <message>
        <source>ChatDesk found no display, and no window of it is open.</source>
        <translation>ChatDesk n’a trouvé aucun affichage, et aucune de ses fenêtres n’est ouverte.</translation>
    </message>
    <message>
        <source>Nothing was opened or changed.</source>
        <translation>Rien n’a été ouvert ni modifié.</translation>
    </message>
    <message>
        <source>Run this in a desktop session, or set DISPLAY or WAYLAND_DISPLAY.</source>
        <translation>Lancez cette commande dans une session graphique, ou définissez DISPLAY ou WAYLAND_DISPLAY.</translation>
    </message>
    <message>
        <source>No display was found, so ChatDesk plays one turn without a window.</source>
        <translation>Aucun affichage n’a été trouvé&#xa0;: ChatDesk effectue donc un échange sans fenêtre.</translation>
    </message>
    <message>
        <source>ask a question and print the answer as it comes</source>
        <translation>poser une question et afficher la réponse à mesure qu’elle arrive</translation>
    </message>
    <message>
        <source>the question; - reads it from stdin</source>
        <translation>la question&#xa0;; - la lit sur stdin</translation>
    </message>
    <message>
        <source>what to do with tool calls: ask (at a terminal), deny, or what to allow: SERVER for all tools of a server and SERVER/TOOL for one; may be repeated</source>
        <translation>que faire des appels d’outils&#xa0;: ask (demander dans un terminal), deny (refuser), ou ce qui est autorisé&#xa0;: SERVER pour tous les outils d’un serveur et SERVER/TOOL pour un seul&#xa0;; peut être répété</translation>
    </message>
    <message>
        <source>An imported system prompt is sent with the question.</source>
        <translation>Un prompt système importé est envoyé avec la question.</translation>
    </message>
    <message>
        <source>{name} changed the system prompt; it is sent with the question.</source>
        <translation>{name} a modifié le prompt système&#xa0;; il est envoyé avec la question.</translation>
    </message>
    <message>
        <source>Trying again in {seconds} s.</source>
        <translation>Nouvel essai dans {seconds}&#xa0;s.</translation>
    </message>
    <message>
        <source>The question waits, {count} before it; Ctrl+C cancels.</source>
        <translation>La question est en attente, {count} devant elle&#xa0;; Ctrl+C annule.</translation>
    </message>
    <message>
        <source>continue this thread (the start of its id is enough)</source>
        <translation>continuer cette conversation (le début de son identifiant suffit)</translation>
    </message>
    <message>
        <source>ask another version of this question; the old one is kept</source>
        <translation>poser une autre version de cette question&#xa0;; l’ancienne est conservée</translation>
    </message>
    <message>
        <source>start a new thread (the default)</source>
        <translation>commencer une nouvelle conversation (par défaut)</translation>
    </message>
    <message>
        <source>model to ask</source>
        <translation>modèle à interroger</translation>
    </message>
    <message>
        <source>id of the provider to ask (&apos;chatdesk providers&apos; lists them)</source>
        <translation>identifiant du fournisseur à interroger («&#xa0;chatdesk providers&#xa0;» les liste)</translation>
    </message>
    <message>
        <source>assistant from the library to ask</source>
        <translation>assistant de la bibliothèque à interroger</translation>
    </message>
    <message>
        <source>file to attach; may be repeated</source>
        <translation>fichier à joindre&#xa0;; répétable</translation>
    </message>
    <message>
        <source>tool servers that the model may use, separated by commas, or none</source>
        <translation>serveurs d’outils que le modèle peut utiliser, séparés par des virgules, ou none pour aucun</translation>
    </message>
    <message>
        <source>print one JSON object per line: start, text, ..., finish</source>
        <translation>afficher un objet JSON par ligne&#xa0;: start, text, ..., finish</translation>
    </message>
    <message>
        <source>ChatDesk keeps trying to save the answer for a while; Ctrl+C stops it.</source>
        <translation>ChatDesk essaie encore un moment d’enregistrer la réponse&#xa0;; Ctrl+C l’arrête.</translation>
    </message>
    <message>
        <source>The answer was not finished. What had arrived is kept.</source>
        <translation>La réponse n’est pas terminée. Ce qui en a été reçu est conservé.</translation>
    </message>
    <message>
        <source>how the attached texts are encoded, such as windows-1251</source>
        <translation>encodage des textes joints, par exemple windows-1251</translation>
    </message>
    <message>
        <source>“{name}” may be in one of several encodings: {found}.</source>
        <translation>«&#xa0;{name}&#xa0;» correspond à plusieurs encodages possibles&#xa0;: {found}.</translation>
    </message>
    <message>
        <source>Name the right one with --encoding.</source>
        <translation>Indiquez le bon avec --encoding.</translation>
    </message>
    <message>
        <source>“{name}” is no text in the encoding {encoding}.</source>
        <translation>«&#xa0;{name}&#xa0;» n’est pas un texte dans l’encodage {encoding}.</translation>
    </message>
    <message>
        <source>Name the encoding in which it was written, such as windows-1251 or shift_jis.</source>
        <translation>Indiquez l’encodage dans lequel il a été écrit, par exemple windows-1251 ou shift_jis.</translation>
    </message>
    <message>
        <source>{server}: {problem}</source>
        <translation>{server}&#xa0;: {problem}</translation>
    </message>
    <message>
        <source>{name}: {problem}</source>
        <translation>{name}&#xa0;: {problem}</translation>
    </message>
    <message>
        <source>{server} offers: {names}.</source>
        <translation>{server} propose&#xa0;: {names}.</translation>
    </message>
    <message>
        <source>It lists no tools.</source>
        <translation>Il ne propose aucun outil.</translation>
    </message>
    <message>
        <source>It is switched off: chatdesk tools on {server} switches it on.</source>
        <translation>Il est désactivé&#xa0;: chatdesk tools on {server} l’active.</translation>
    </message>
    <message>
        <source>It is for the threads of a project with a folder: see chatdesk tools folder.</source>
        <translation>Il est destiné aux conversations d’un projet qui a un dossier&#xa0;: voir chatdesk tools folder.</translation>
    </message>
    <message>
        <source>It was not asked for its tools.</source>
        <translation>La liste de ses outils ne lui a pas été demandée.</translation>
    </message>
    <message>
        <source>Answer in the window.</source>
        <translation>Répondez dans la fenêtre.</translation>
    </message>
    <message>
        <source>{words} It is allowed with --approve {name}.</source>
        <translation>{words} --approve {name} l’autorise.</translation>
    </message>
    <message>
        <source>It was allowed.</source>
        <translation>L’appel a été autorisé.</translation>
    </message>
    <message>
        <source>It was denied.</source>
        <translation>L’appel a été refusé.</translation>
    </message>
    <message>
        <source>The model wants to call {tool} of {server} with</source>
        <translation>Le modèle veut appeler {tool} de {server} avec</translation>
    </message>
    <message>
        <source>Allow it?</source>
        <translation>L’autoriser&#xa0;?</translation>
    </message>
    <message>
        <source>The model wants to call {tool} of {server}. {words}</source>
        <translation>Le modèle veut appeler {tool} de {server}. {words}</translation>
    </message>
    <message>
        <source>It was denied: nobody can be asked here (see --approve).</source>
        <translation>L’appel a été refusé&#xa0;: il n’y a personne à qui demander ici (voir --approve).</translation>
    </message>
    <message>
        <source>A ChatDesk window is open and answers this question, so --tools and --approve cannot be used.</source>
        <translation>Une fenêtre de ChatDesk est ouverte et répond à cette question&#xa0;: --tools et --approve ne peuvent donc pas servir.</translation>
    </message>
    <message>
        <source>The question was not sent.</source>
        <translation>La question n’a pas été envoyée.</translation>
    </message>
    <message>
        <source>Choose the tools in the window, or close it.</source>
        <translation>Choisissez les outils dans la fenêtre, ou fermez-la.</translation>
    </message>
    <message>
        <source>There is no tool server {first}.</source>
        <translation>Il n’y a pas de serveur d’outils {first}.</translation>
    </message>
    <message>
        <source>See &apos;chatdesk tools list&apos;.</source>
        <translation>Consultez «&#xa0;chatdesk tools list&#xa0;».</translation>
    </message>
    <message>
        <source>There is no tool server {name}: --approve allows nothing by this name.</source>
        <translation>Il n’y a pas de serveur d’outils {name}&#xa0;: --approve n’autorise rien sous ce nom.</translation>
    </message>
    <message>
        <source>{name} has several meanings: {names}.</source>
        <translation>{name} peut désigner plusieurs choses&#xa0;: {names}.</translation>
    </message>
    <message>
        <source>Give each tool server a name of its own, or use its id (&apos;chatdesk tools list&apos;).</source>
        <translation>Donnez à chaque serveur d’outils un nom qui lui est propre, ou utilisez son identifiant («&#xa0;chatdesk tools list&#xa0;»).</translation>
    </message>
    <message>
        <source>There are several assistants called {name}.</source>
        <translation>Plusieurs assistants s’appellent {name}.</translation>
    </message>
    <message>
        <source>There is no assistant called {name}.</source>
        <translation>Aucun assistant ne s’appelle {name}.</translation>
    </message>
    <message>
        <source>There are: {names}.</source>
        <translation>Disponibles&#xa0;: {names}.</translation>
    </message>
    <message>
        <source>none</source>
        <translation>aucun</translation>
    </message>
    <message>
        <source>write threads as Markdown, JSON, HTML or PDF</source>
        <translation>enregistrer des conversations en Markdown, JSON, HTML ou PDF</translation>
    </message>
    <message>
        <source>all threads of this project (its name or id)</source>
        <translation>toutes les conversations de ce projet (son nom ou son identifiant)</translation>
    </message>
    <message>
        <source>make a backup now</source>
        <translation>faire une sauvegarde maintenant</translation>
    </message>
    <message>
        <source>have the same chats on your own computers, through a folder</source>
        <translation>retrouver les mêmes discussions sur vos propres ordinateurs, par un dossier</translation>
    </message>
    <message>
        <source>an empty folder that something carries to your other computers</source>
        <translation>un dossier vide, que quelque chose transporte vers vos autres ordinateurs</translation>
    </message>
    <message>
        <source>begin with the first computer, and print the recovery phrase once</source>
        <translation>commencer par le premier ordinateur, et afficher une seule fois la phrase de récupération</translation>
    </message>
    <message>
        <source>join with a further computer, or again with a restored one</source>
        <translation>ajouter un autre ordinateur, ou de nouveau un ordinateur restauré</translation>
    </message>
    <message>
        <source>the same folder as on the other computers</source>
        <translation>le même dossier que sur les autres ordinateurs</translation>
    </message>
    <message>
        <source>read the recovery phrase from FILE; else it is asked for</source>
        <translation>lire la phrase de récupération dans FILE&#xa0;; sinon elle est demandée</translation>
    </message>
    <message>
        <source>do not ask</source>
        <translation>ne pas demander de confirmation</translation>
    </message>
    <message>
        <source>write what is new here into the folder, and read what others wrote</source>
        <translation>écrire dans le dossier ce qui est nouveau ici, et lire ce que les autres ont écrit</translation>
    </message>
    <message>
        <source>remove a computer, such as a lost one, and make a new recovery phrase</source>
        <translation>retirer un ordinateur, par exemple un ordinateur perdu, et créer une nouvelle phrase de récupération</translation>
    </message>
    <message>
        <source>the name or id of the computer</source>
        <translation>le nom ou l’identifiant de l’ordinateur</translation>
    </message>
    <message>
        <source>wait at most this long ({seconds})</source>
        <translation>attendre au plus cette durée ({seconds})</translation>
    </message>
    <message>
        <source>bring everything back on an empty profile, with the recovery phrase</source>
        <translation>tout ramener dans un profil vide, avec la phrase de récupération</translation>
    </message>
    <message>
        <source>show your computers, and what waits</source>
        <translation>afficher vos ordinateurs, et ce qui attend</translation>
    </message>
    <message>
        <source>stop reading and writing the folder, until &apos;resume&apos;</source>
        <translation>ne plus lire ni écrire dans le dossier, jusqu’à «&#xa0;resume&#xa0;»</translation>
    </message>
    <message>
        <source>read and write the folder again</source>
        <translation>lire et écrire de nouveau dans le dossier</translation>
    </message>
    <message>
        <source>forget the folder; everything stays on this computer</source>
        <translation>oublier le dossier&#xa0;; tout reste sur cet ordinateur</translation>
    </message>
    <message>
        <source>A folder has a name.</source>
        <translation>Un dossier a un nom.</translation>
    </message>
    <message>
        <source>Name one that others carry.</source>
        <translation>Indiquez-en un qui est transporté vers vos autres ordinateurs.</translation>
    </message>
    <message>
        <source>This is no folder.</source>
        <translation>Ce n’est pas un dossier.</translation>
    </message>
    <message>
        <source>The file with the recovery phrase cannot be read: {reason}.</source>
        <translation>Le fichier de la phrase de récupération ne peut pas être lu&#xa0;: {reason}.</translation>
    </message>
    <message>
        <source>A computer has a name.</source>
        <translation>Un ordinateur a un nom.</translation>
    </message>
    <message>
        <source>It keeps your computers in step by itself. Close it to do this here.</source>
        <translation>Il synchronise vos ordinateurs automatiquement. Fermez-le pour le faire ici.</translation>
    </message>
    <message>
        <source>This is your recovery phrase. Write it down: your other computers need it, and with it alone you get your chats back. Whoever has it and the folder can read everything. It is not shown again.</source>
        <translation>Voici votre phrase de récupération. Notez-la&#xa0;: vos autres ordinateurs en ont besoin, et elle suffit pour retrouver vos discussions. Quiconque la possède avec le dossier peut tout lire. Elle ne sera plus affichée.</translation>
    </message>
    <message>
        <source>Recovery phrase: </source>
        <translation>Phrase de récupération&#xa0;: </translation>
    </message>
    <message>
        <source>The folder has {size} and is used by: {computers}.</source>
        <translation>Le dossier occupe {size} et est utilisé par&#xa0;: {computers}.</translation>
    </message>
    <message>
        <source>Bring everything here?</source>
        <translation>Tout ramener ici&#xa0;?</translation>
    </message>
    <message>
        <source>Merge the chats of this computer with theirs?</source>
        <translation>Fusionner les discussions de cet ordinateur avec les leurs&#xa0;?</translation>
    </message>
    <message>
        <source>Remove {name}? Your other computers then need the new recovery phrase, which is shown. {name} keeps, and can read, everything that it had, and gets nothing new.</source>
        <translation>Retirer {name}&#xa0;? Vos autres ordinateurs auront alors besoin de la nouvelle phrase de récupération, qui sera affichée. {name} garde tout ce qu’il avait, peut le lire, et ne reçoit rien de nouveau.</translation>
    </message>
    <message>
        <source>{name} was removed. Join again with the new phrase on your other computers.</source>
        <translation>{name} a été retiré. Revenez avec la nouvelle phrase sur vos autres ordinateurs.</translation>
    </message>
    <message>
        <source>Paused: nothing is read or written there.</source>
        <translation>En pause&#xa0;: rien n’y est lu ni écrit.</translation>
    </message>
    <message>
        <source>Your computers are kept in step again.</source>
        <translation>Vos ordinateurs sont de nouveau synchronisés.</translation>
    </message>
    <message>
        <source>{name} (this one)</source>
        <translation>{name} (celui-ci)</translation>
    </message>
    <message>
        <source>{computer}, last here {moment}</source>
        <translation>{computer}, dernière visite&#xa0;: {moment}</translation>
    </message>
    <message numerus="yes">
        <source>{count} files of it have not arrived yet</source>
        <comment>{count} file of it has not arrived yet</comment>
        <translation>
            <numerusform>{count} de ses fichiers n’est pas encore arrivé</numerusform>
            <numerusform>{count} de ses fichiers ne sont pas encore arrivés</numerusform>
        </translation>
    </message>
    <message>
        <source>the folder has older files of it than before</source>
        <translation>ses fichiers dans le dossier sont plus anciens qu’avant</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes are not in the folder yet. Your other computers do not get them.</source>
        <comment>{count} change is not in the folder yet. Your other computers do not get it.</comment>
        <translation>
            <numerusform>{count} modification n’est pas encore dans le dossier. Vos autres ordinateurs ne la reçoivent pas.</numerusform>
            <numerusform>{count} modifications ne sont pas encore dans le dossier. Vos autres ordinateurs ne les reçoivent pas.</numerusform>
        </translation>
    </message>
    <message>
        <source>Forget the folder {folder}? Its projects stay here as private ones.</source>
        <translation>Oublier le dossier {folder}&#xa0;? Ses projets restent ici comme projets privés.</translation>
    </message>
    <message>
        <source>This computer has left {folder}. The files there stay for your other computers, and nobody can read them without the recovery phrase. With it you can join again.</source>
        <translation>Cet ordinateur a quitté {folder}. Les fichiers y restent pour vos autres ordinateurs, et personne ne peut les lire sans la phrase de récupération. Avec elle, vous pouvez revenir.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers sync&apos; continues.</source>
        <translation>«&#xa0;chatdesk computers sync&#xa0;» continue.</translation>
    </message>
    <message>
        <source>Join again with the recovery phrase: &apos;chatdesk computers join&apos;.</source>
        <translation>Revenez avec la phrase de récupération&#xa0;: «&#xa0;chatdesk computers join&#xa0;».</translation>
    </message>
    <message>
        <source>Everything is in the folder, and everything in the folder is here.</source>
        <translation>Tout est dans le dossier, et tout ce qui est dans le dossier est ici.</translation>
    </message>
    <message>
        <source>Attached files are on their way.</source>
        <translation>Les fichiers joints sont en route.</translation>
    </message>
    <message numerus="yes">
        <source>{count} files in the folder are incomplete, or were changed. What they bring waits.</source>
        <comment>{count} file in the folder is incomplete, or was changed. What it brings waits.</comment>
        <translation>
            <numerusform>{count} fichier du dossier est incomplet ou a été modifié. Ce qu’il apporte attend.</numerusform>
            <numerusform>{count} fichiers du dossier sont incomplets ou ont été modifiés. Ce qu’ils apportent attend.</numerusform>
        </translation>
    </message>
    <message>
        <source>It is at {path}.</source>
        <translation>L’export se trouve dans {path}.</translation>
    </message>
    <message>
        <source>This format needs a file or folder to write to.</source>
        <translation>Ce format exige un fichier ou un dossier de destination.</translation>
    </message>
    <message>
        <source>Give one with --output.</source>
        <translation>Donnez-en un avec --output.</translation>
    </message>
    <message>
        <source>Choose threads, a project, or everything, but not two of them.</source>
        <translation>Choisissez des conversations, un projet ou tout, mais un seul des trois.</translation>
    </message>
    <message>
        <source>Leave one of them out.</source>
        <translation>Retirez-en un.</translation>
    </message>
    <message>
        <source>Nothing to export was named.</source>
        <translation>Vous n’avez pas indiqué quoi exporter.</translation>
    </message>
    <message>
        <source>Give a thread, --project NAME or --all.</source>
        <translation>Donnez une conversation, --project NAME ou --all.</translation>
    </message>
    <message>
        <source>id of the thread, or the start of it</source>
        <translation>identifiant de la conversation, ou son début</translation>
    </message>
    <message>
        <source>everything</source>
        <translation>tout</translation>
    </message>
    <message>
        <source>include the trash</source>
        <translation>inclure la corbeille</translation>
    </message>
    <message>
        <source>file to write (with json, a .zip includes the attachments), or a folder for several threads</source>
        <translation>fichier à écrire (avec json, un .zip contient aussi les pièces jointes), ou un dossier pour plusieurs conversations</translation>
    </message>
    <message>
        <source>zip file to write, with the database and all attachments</source>
        <translation>fichier zip à écrire, avec la base de données et toutes les pièces jointes</translation>
    </message>
    <message>
        <source>replace the database with a backup</source>
        <translation>remplacer la base de données par une sauvegarde</translation>
    </message>
    <message>
        <source>path of the backup, or its name in the backup directory</source>
        <translation>chemin de la sauvegarde, ou son nom dans le dossier des sauvegardes</translation>
    </message>
    <message>
        <source>list the backups, newest first</source>
        <translation>lister les sauvegardes, la plus récente d’abord</translation>
    </message>
    <message>
        <source>an attachment was left out: {sentence}</source>
        <translation>une pièce jointe a été omise&#xa0;: {sentence}</translation>
    </message>
    <message>
        <source>A window is open on this data directory, and it makes the regular backups.</source>
        <translation>Une fenêtre est ouverte sur ce dossier de données, et elle fait les sauvegardes régulières.</translation>
    </message>
    <message>
        <source>Use Settings, Data and backup, Back up now; or give a FILE.</source>
        <translation>Utilisez Paramètres, Données et sauvegarde, Sauvegarder maintenant&#xa0;; ou donnez un FILE.</translation>
    </message>
    <message>
        <source>Close the window, or choose another --data-dir.</source>
        <translation>Fermez la fenêtre, ou choisissez un autre --data-dir.</translation>
    </message>
    <message>
        <source>Replace the current database with it? The current one is kept.</source>
        <translation>Remplacer la base de données actuelle par cette sauvegarde&#xa0;? L’actuelle est conservée.</translation>
    </message>
    <message>
        <source>No backup was named.</source>
        <translation>Aucune sauvegarde n’a été indiquée.</translation>
    </message>
    <message>
        <source>&apos;chatdesk restore --list&apos; lists them.</source>
        <translation>«&#xa0;chatdesk restore --list&#xa0;» les liste.</translation>
    </message>
    <message>
        <source>nothing was changed</source>
        <translation>rien n’a été modifié</translation>
    </message>
    <message>
        <source>The backup was restored.</source>
        <translation>La sauvegarde a été restaurée.</translation>
    </message>
    <message>
        <source>The database as it was before is kept at {kept}.</source>
        <translation>La base de données d’avant est conservée dans {kept}.</translation>
    </message>
    <message>
        <source>{file}, made {time}</source>
        <translation>{file}, date&#xa0;: {time}</translation>
    </message>
    <message>
        <source>Threads: {threads}, messages: {messages}, schema version {schema}</source>
        <translation>Conversations&#xa0;: {threads}, messages&#xa0;: {messages}, version du schéma {schema}</translation>
    </message>
    <message>
        <source>Close the window, or use Settings, Data and backup, Repair in it.</source>
        <translation>Fermez la fenêtre, ou utilisez-y Paramètres, Données et sauvegarde, Réparer.</translation>
    </message>
    <message>
        <source>The database could not be upgraded as it was, so a copy of it was repaired and upgraded.</source>
        <translation>La base de données n’a pas pu être mise à niveau telle quelle&#xa0;; une copie a donc été réparée et mise à niveau.</translation>
    </message>
    <message>
        <source>The database was damaged; what could be read was copied into a new one.</source>
        <translation>La base de données était endommagée&#xa0;; ce qui pouvait être lu a été copié dans une nouvelle.</translation>
    </message>
    <message>
        <source>The damaged one is kept at {kept}. Compare with &apos;chatdesk restore --list&apos;: a backup may hold more.</source>
        <translation>La base endommagée est conservée dans {kept}. Comparez avec «&#xa0;chatdesk restore --list&#xa0;»&#xa0;: une sauvegarde contient peut-être davantage.</translation>
    </message>
    <message>
        <source>fill a data directory with made-up threads</source>
        <translation>remplir un dossier de données de conversations inventées</translation>
    </message>
    <message>
        <source>make about N messages in total (500)</source>
        <translation>créer environ N messages en tout (500)</translation>
    </message>
    <message>
        <source>seed for the made-up texts; another number makes other texts (1)</source>
        <translation>graine des textes inventés&#xa0;; un autre nombre donne d’autres textes (1)</translation>
    </message>
    <message>
        <source>add them even if there are threads already</source>
        <translation>les ajouter même s’il y a déjà des conversations</translation>
    </message>
    <message>
        <source>At most {most_messages} messages can be made at once.</source>
        <translation>{most_messages} messages au plus peuvent être créés à la fois.</translation>
    </message>
    <message>
        <source>Choose fewer.</source>
        <translation>Choisissez-en moins.</translation>
    </message>
    <message>
        <source>ChatDesk is open on this data directory.</source>
        <translation>ChatDesk est ouvert sur ce dossier de données.</translation>
    </message>
    <message>
        <source>Close it, or choose another one.</source>
        <translation>Fermez-le, ou choisissez-en un autre.</translation>
    </message>
    <message>
        <source>There are threads in this data directory already ({count}).</source>
        <translation>Il y a déjà des conversations dans ce dossier de données ({count}).</translation>
    </message>
    <message>
        <source>Choose an empty one with --data-dir, or give --add to put the made-up ones among them.</source>
        <translation>Choisissez un dossier vide avec --data-dir, ou donnez --add pour y ajouter les conversations inventées.</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads</source>
        <comment>{count} thread</comment>
        <translation>
            <numerusform>{count} conversation</numerusform>
            <numerusform>{count} conversations</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages</source>
        <comment>{count} message</comment>
        <translation>
            <numerusform>{count} message</numerusform>
            <numerusform>{count} messages</numerusform>
        </translation>
    </message>
    <message>
        <source>Made {threads} with {messages}.</source>
        <translation>Créé&#xa0;: {threads} avec {messages}.</translation>
    </message>
    <message>
        <source>written to {file}; look through it before you send it</source>
        <translation>écrit dans {file}&#xa0;; relisez-le avant de l’envoyer</translation>
    </message>
    <message>
        <source>This process may open only {limit} files at once, and ChatDesk needs at least {needed}.</source>
        <translation>Ce processus ne peut ouvrir que {limit} fichiers à la fois, et ChatDesk en demande au moins {needed}.</translation>
    </message>
    <message>
        <source>Raise the limit (ulimit -n 256), then try again.</source>
        <translation>Relevez la limite (ulimit -n 256), puis réessayez.</translation>
    </message>
    <message>
        <source>Check its owner and permissions, or choose another with --data-dir.</source>
        <translation>Vérifiez son propriétaire et ses droits, ou choisissez-en un autre avec --data-dir.</translation>
    </message>
    <message>
        <source>The data directory cannot be used: {file} is a file.</source>
        <translation>Le dossier de données ne peut pas être utilisé&#xa0;: {file} est un fichier.</translation>
    </message>
    <message>
        <source>Choose a directory with --data-dir.</source>
        <translation>Choisissez un dossier avec --data-dir.</translation>
    </message>
    <message>
        <source>The data directory cannot be used: The disk of {directory} is full.</source>
        <translation>Le dossier de données ne peut pas être utilisé&#xa0;: le disque de {directory} est plein.</translation>
    </message>
    <message>
        <source>Free some space, or choose another with --data-dir.</source>
        <translation>Libérez de la place, ou choisissez-en un autre avec --data-dir.</translation>
    </message>
    <message>
        <source>The data directory cannot be used: {file} may not be opened or made by this user.</source>
        <translation>Le dossier de données ne peut pas être utilisé&#xa0;: cet utilisateur n’a pas le droit d’ouvrir ou de créer {file}.</translation>
    </message>
    <message>
        <source>The data directory cannot be used: {reason}: {file}.</source>
        <translation>Le dossier de données ne peut pas être utilisé ({file})&#xa0;: {reason}.</translation>
    </message>
    <message>
        <source>Nothing was changed.</source>
        <translation>Rien n’a été modifié.</translation>
    </message>
    <message>
        <source>This process may not open more files at once.</source>
        <translation>Ce processus ne peut pas ouvrir plus de fichiers à la fois.</translation>
    </message>
    <message>
        <source>What was saved before is unchanged.</source>
        <translation>Ce qui était enregistré est inchangé.</translation>
    </message>
    <message>
        <source>The system gives this process no more memory or threads.</source>
        <translation>Le système ne donne à ce processus ni plus de mémoire ni plus de threads.</translation>
    </message>
    <message>
        <source>Close other programs or raise the limits (ulimit), then try again.</source>
        <translation>Fermez d’autres programmes ou relevez les limites (ulimit), puis réessayez.</translation>
    </message>
    <message>
        <source>put the threads into this project (by default one named after the program)</source>
        <translation>mettre les conversations dans ce projet (par défaut, un projet qui porte le nom du programme)</translation>
    </message>
    <message>
        <source>import an export of ChatDesk or of another program</source>
        <translation>importer un export de ChatDesk ou d’un autre programme</translation>
    </message>
    <message>
        <source>export of another program: a zip, JSON, JSON Lines or CSV file, or a folder</source>
        <translation>export d’un autre programme&#xa0;: un fichier zip, JSON, JSON Lines ou CSV, ou un dossier</translation>
    </message>
    <message>
        <source>remember the facts that ChatGPT or Claude remembered, too</source>
        <translation>mémoriser aussi les faits que ChatGPT ou Claude ont retenus</translation>
    </message>
    <message>
        <source>only report what would be imported</source>
        <translation>indiquer seulement ce qui serait importé</translation>
    </message>
    <message>
        <source>print the report as JSON</source>
        <translation>afficher le rapport en JSON</translation>
    </message>
    <message>
        <source>Import the file in its window, or close it first.</source>
        <translation>Importez le fichier dans sa fenêtre, ou fermez-la d’abord.</translation>
    </message>
    <message numerus="yes">
        <source>{percent} %  {count} threads</source>
        <comment>{percent} %  {count} thread</comment>
        <translation>
            <numerusform>{percent}&#xa0;%  {count} conversation</numerusform>
            <numerusform>{percent}&#xa0;%  {count} conversations</numerusform>
        </translation>
    </message>
    <message>
        <source>Reading the files, so that a search finds what is in them…</source>
        <translation>Lecture des fichiers, pour qu’une recherche trouve ce qu’ils contiennent…</translation>
    </message>
    <message>
        <source>Memory: {text}</source>
        <translation>Souvenir&#xa0;: {text}</translation>
    </message>
    <message>
        <source>--memories keeps them, and they are sent to the providers that you allow.</source>
        <translation>--memories les garde, et ils sont envoyés aux fournisseurs que vous autorisez.</translation>
    </message>
    <message>
        <source>Memory is off. Once it is on, --memories keeps them, for the providers that you allow.</source>
        <translation>La mémoire est désactivée. Une fois activée, --memories les garde, pour les fournisseurs que vous autorisez.</translation>
    </message>
    <message>
        <source>check the database, the paths and the providers</source>
        <translation>vérifier la base de données, les chemins et les fournisseurs</translation>
    </message>
    <message>
        <source>answer from your own files</source>
        <translation>répondre à partir de vos propres fichiers</translation>
    </message>
    <message>
        <source>add a folder, a file or a web page, and read it</source>
        <translation>ajouter un dossier, un fichier ou une page web, et le lire</translation>
    </message>
    <message>
        <source>list what a project has, and how far it is read</source>
        <translation>lister ce que contient un projet, et où en est la lecture</translation>
    </message>
    <message>
        <source>find the passages that fit a question</source>
        <translation>trouver les passages qui correspondent à une question</translation>
    </message>
    <message>
        <source>try questions with the file that should be found</source>
        <translation>essayer des questions avec le fichier qui devrait être trouvé</translation>
    </message>
    <message>
        <source>forget a folder, file or page</source>
        <translation>oublier un dossier, un fichier ou une page</translation>
    </message>
    <message>
        <source>choose what the team of a shared project gets of it</source>
        <translation>choisir ce que l’équipe d’un projet partagé en reçoit</translation>
    </message>
    <message>
        <source>choose what makes the vectors for finding by meaning</source>
        <translation>choisir ce qui calcule les vecteurs de la recherche par le sens</translation>
    </message>
    <message>
        <source>list the providers that get the files, or never do</source>
        <translation>lister les fournisseurs qui reçoivent les fichiers, ou jamais</translation>
    </message>
    <message>
        <source>folder, file, or address of a web page</source>
        <translation>dossier, fichier ou adresse d’une page web</translation>
    </message>
    <message>
        <source>leave out what a line of a .gitignore would</source>
        <translation>laisser de côté ce qu’une ligne d’un .gitignore exclurait</translation>
    </message>
    <message>
        <source>read it though its name looks like that of a secret</source>
        <translation>le lire bien que son nom ressemble à celui d’un secret</translation>
    </message>
    <message>
        <source>what you want to know</source>
        <translation>ce que vous voulez savoir</translation>
    </message>
    <message>
        <source>at most N passages (8)</source>
        <translation>au plus N passages (8)</translation>
    </message>
    <message>
        <source>JSON list of objects with a question and a file; - reads stdin; without it, the kept questions</source>
        <translation>liste JSON d’objets avec une question (question) et un fichier (file)&#xa0;; - la lit sur stdin&#xa0;; sans elle, les questions gardées</translation>
    </message>
    <message>
        <source>keep those of FILE, and try all that are kept</source>
        <translation>garder celles de FILE, et essayer toutes celles qui sont gardées</translation>
    </message>
    <message>
        <source>nothing, its name, or the text of its files too</source>
        <translation>rien, son nom, ou aussi le texte de ses fichiers</translation>
    </message>
    <message>
        <source>a model for embeddings of one of your providers</source>
        <translation>un modèle d’embeddings de l’un de vos fournisseurs</translation>
    </message>
    <message>
        <source>the vectors that come with ChatDesk, without a network</source>
        <translation>les vecteurs fournis avec ChatDesk, sans réseau</translation>
    </message>
    <message>
        <source>with --model: do it, after its cost was told</source>
        <translation>avec --model&#xa0;: l’exécuter, une fois le coût indiqué</translation>
    </message>
    <message>
        <source>never send the files of the project to it</source>
        <translation>ne jamais lui envoyer les fichiers du projet</translation>
    </message>
    <message>
        <source>send them again</source>
        <translation>les envoyer de nouveau</translation>
    </message>
    <message>
        <source>its id or place, as listed</source>
        <translation>son identifiant ou son emplacement, comme dans la liste</translation>
    </message>
    <message>
        <source>as JSON</source>
        <translation>en JSON</translation>
    </message>
    <message>
        <source>The question is empty.</source>
        <translation>La question est vide.</translation>
    </message>
    <message>
        <source>There is no file of questions to keep.</source>
        <translation>Il n’y a pas de fichier de questions à garder.</translation>
    </message>
    <message>
        <source>Give a FILE with --keep.</source>
        <translation>Indiquez un fichier FILE avec --keep.</translation>
    </message>
    <message>
        <source>“{file}” is no JSON list of objects with a question and a file.</source>
        <translation>«&#xa0;{file}&#xa0;» n’est pas une liste JSON d’objets avec une question et un fichier (file).</translation>
    </message>
    <message>
        <source>Write: {example}</source>
        <translation>Écrivez&#xa0;: {example}</translation>
    </message>
    <message>
        <source>“{model}” is no provider and model.</source>
        <translation>«&#xa0;{model}&#xa0;» n’est pas un fournisseur suivi d’un modèle.</translation>
    </message>
    <message>
        <source>--yes belongs to --model.</source>
        <translation>--yes s’emploie avec --model.</translation>
    </message>
    <message>
        <source>ChatDesk is open and reads the files of projects.</source>
        <translation>ChatDesk est ouvert et lit les fichiers des projets.</translation>
    </message>
    <message>
        <source>Change them in the window, in the project&apos;s Files, or close ChatDesk first.</source>
        <translation>Changez-les dans la fenêtre, dans «&#xa0;Fichiers du projet&#xa0;», ou fermez d’abord ChatDesk.</translation>
    </message>
    <message>
        <source>looks like a secret, not read</source>
        <translation>ressemble à un secret, non lu</translation>
    </message>
    <message>
        <source>, page {page}</source>
        <translation>, page {page}</translation>
    </message>
    <message>
        <source>No questions are kept for this project.</source>
        <translation>Aucune question n’est gardée pour ce projet.</translation>
    </message>
    <message>
        <source>Give a FILE with --keep, or add some in the window, in the project&apos;s Files.</source>
        <translation>Indiquez un fichier FILE avec --keep, ou ajoutez des questions dans la fenêtre, dans les fichiers du projet.</translation>
    </message>
    <message>
        <source>{hits} of {total} among the first five</source>
        <translation>{hits} sur {total} parmi les cinq premiers</translation>
    </message>
    <message>
        <source>The project has no such folder, file or page.</source>
        <translation>Le projet n’a pas ce dossier, ce fichier ou cette page.</translation>
    </message>
    <message>
        <source>See &apos;chatdesk knowledge list&apos;.</source>
        <translation>Consultez «&#xa0;chatdesk knowledge list&#xa0;».</translation>
    </message>
    <message>
        <source>There is no provider “{provider}”.</source>
        <translation>Il n’y a pas de fournisseur «&#xa0;{provider}&#xa0;».</translation>
    </message>
    <message>
        <source>See &apos;chatdesk providers list&apos;.</source>
        <translation>Consultez «&#xa0;chatdesk providers list&#xa0;».</translation>
    </message>
    <message>
        <source>gets the files</source>
        <translation>reçoit les fichiers</translation>
    </message>
    <message>
        <source>Nothing was sent or changed. Add --yes to do it.</source>
        <translation>Rien n’a été envoyé ni modifié. Ajoutez --yes pour le faire.</translation>
    </message>
    <message numerus="yes">
        <source>{count} files read</source>
        <comment>{count} file read</comment>
        <translation>
            <numerusform>{count} fichier lu</numerusform>
            <numerusform>{count} fichiers lus</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} to be read</source>
        <comment>{count} to be read</comment>
        <translation>
            <numerusform>{count} à lire</numerusform>
            <numerusform>{count} à lire</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} cannot be read</source>
        <comment>{count} cannot be read</comment>
        <translation>
            <numerusform>{count} ne peut pas être lu</numerusform>
            <numerusform>{count} ne peuvent pas être lus</numerusform>
        </translation>
    </message>
    <message>
        <source>paused</source>
        <translation>en pause</translation>
    </message>
    <message>
        <source>keep all data in DIR (or set CHATDESK_DATA_DIR)</source>
        <translation>conserver toutes les données dans DIR (ou définir CHATDESK_DATA_DIR)</translation>
    </message>
    <message>
        <source>write more to the log, and to stderr too</source>
        <translation>écrire davantage dans le journal, et aussi sur stderr</translation>
    </message>
    <message>
        <source>Chat with language models. Without a command, the window opens.</source>
        <translation>Discuter avec des modèles de langage. Sans commande, la fenêtre s’ouvre.</translation>
    </message>
    <message>
        <source>also write a zip to attach to a bug report</source>
        <translation>écrire aussi un zip à joindre à un rapport de bogue</translation>
    </message>
    <message>
        <source>repair the database, keeping a copy of it</source>
        <translation>réparer la base de données en en gardant une copie</translation>
    </message>
    <message>
        <source>The output could not be written: {reason}.</source>
        <translation>La sortie n’a pas pu être écrite&#xa0;: {reason}.</translation>
    </message>
    <message>
        <source>unrecognized arguments: {unknown}</source>
        <translation>arguments inconnus&#xa0;: {unknown}</translation>
    </message>
    <message>
        <source>Something unexpected happened: {title}. Your messages are kept.</source>
        <translation>Il s’est passé quelque chose d’inattendu&#xa0;: {title}. Vos messages sont conservés.</translation>
    </message>
    <message>
        <source>A report is in {path}.</source>
        <translation>Un rapport se trouve dans {path}.</translation>
    </message>
    <message>
        <source>let an editor or assistant read threads (MCP, stdio)</source>
        <translation>laisser un éditeur ou un assistant lire les conversations (MCP, stdio)</translation>
    </message>
    <message>
        <source>also allow ask, write (drafts), or ask,write</source>
        <translation>autoriser aussi ask, write (brouillons), ou ask,write</translation>
    </message>
    <message>
        <source>it must be ask, write, or ask,write</source>
        <translation>il faut ask, write ou ask,write</translation>
    </message>
    <message>
        <source>Give the id of a thread, a link that begins with chatdesk://, or the path of a file.</source>
        <translation>Donnez l’identifiant d’une conversation, un lien qui commence par chatdesk://, ou le chemin d’un fichier.</translation>
    </message>
    <message>
        <source>“{target}” is neither a thread, a link nor a file that is there.</source>
        <translation>«&#xa0;{target}&#xa0;» n’est ni une conversation, ni un lien, ni un fichier existant.</translation>
    </message>
    <message>
        <source>show a thread, a link or a file in the window</source>
        <translation>afficher une conversation, un lien ou un fichier dans la fenêtre</translation>
    </message>
    <message>
        <source>the id of a thread, a link (chatdesk://…), an export of chats or an invitation</source>
        <translation>l’identifiant d’une conversation, un lien (chatdesk://…), un export de discussions ou une invitation</translation>
    </message>
    <message>
        <source>start a new thread, as the launcher&apos;s menu does</source>
        <translation>commencer une nouvelle conversation, comme le fait le menu du lanceur</translation>
    </message>
    <message>
        <source>open the search, as the launcher&apos;s menu does</source>
        <translation>ouvrir la recherche, comme le fait le menu du lanceur</translation>
    </message>
    <message>
        <source>open the field for a quick question (to bind to a key)</source>
        <translation>ouvrir le champ d’une question rapide (à associer à un raccourci clavier)</translation>
    </message>
    <message>
        <source>key from {variable}</source>
        <translation>clé issue de {variable}</translation>
    </message>
    <message>
        <source>key in the keyring</source>
        <translation>clé dans le trousseau</translation>
    </message>
    <message>
        <source>key in the encrypted file</source>
        <translation>clé dans le fichier chiffré</translation>
    </message>
    <message>
        <source>key for this run</source>
        <translation>clé pour cette exécution</translation>
    </message>
    <message>
        <source>no key</source>
        <translation>pas de clé</translation>
    </message>
    <message>
        <source>key withheld</source>
        <translation>clé non transmise</translation>
    </message>
    <message>
        <source>skipped</source>
        <translation>ignorée</translation>
    </message>
    <message>
        <source>list the providers that are set up</source>
        <translation>lister les fournisseurs configurés</translation>
    </message>
    <message>
        <source>test each of them, step by step</source>
        <translation>tester chacun d’eux, étape par étape</translation>
    </message>
    <message>
        <source>allow this provider&apos;s key to be sent to its current server</source>
        <translation>autoriser l’envoi de la clé de ce fournisseur à son serveur actuel</translation>
    </message>
    <message>
        <source>No key of {provider} is waiting for your agreement.</source>
        <translation>Aucune clé de {provider} n’attend votre accord.</translation>
    </message>
    <message>
        <source>with --agree: do not ask</source>
        <translation>avec --agree&#xa0;: ne pas demander de confirmation</translation>
    </message>
    <message>
        <source>a JSON array</source>
        <translation>un tableau JSON</translation>
    </message>
    <message>
        <source>Offline demo</source>
        <translation>Démo hors ligne</translation>
    </message>
    <message>
        <source>Agreed: the key of {provider} goes to {server}.</source>
        <translation>Accord donné&#xa0;: la clé de {provider} est envoyée à {server}.</translation>
    </message>
    <message>
        <source>Offline demo, without network</source>
        <translation>Démo hors ligne, sans réseau</translation>
    </message>
    <message>
        <source>switched off</source>
        <translation>désactivé</translation>
    </message>
    <message>
        <source>Messages</source>
        <translation>Messages</translation>
    </message>
    <message>
        <source>Threads</source>
        <translation>Conversations</translation>
    </message>
    <message>
        <source>Projects</source>
        <translation>Projets</translation>
    </message>
    <message>
        <source>Tags</source>
        <translation>Étiquettes</translation>
    </message>
    <message>
        <source>Files</source>
        <translation>Fichiers</translation>
    </message>
    <message>
        <source>search messages, threads, projects, tags and files</source>
        <translation>rechercher dans les messages, conversations, projets, étiquettes et fichiers</translation>
    </message>
    <message>
        <source>words, &quot;phrases&quot;, begin*, -not, tag:, before:, …</source>
        <translation>mots, &quot;phrases&quot;, début*, -sans, tag:, before:, …</translation>
    </message>
    <message>
        <source>at most N hits of each kind (20)</source>
        <translation>au plus N résultats de chaque type (20)</translation>
    </message>
    <message>
        <source>a JSON array of groups</source>
        <translation>un tableau JSON de groupes</translation>
    </message>
    <message>
        <source>{kind} (more than {count})</source>
        <translation>{kind} (plus de {count})</translation>
    </message>
    <message>
        <source>{kind} ({count})</source>
        <translation>{kind} ({count})</translation>
    </message>
    <message>
        <source>Nothing was found.</source>
        <translation>Aucun résultat.</translation>
    </message>
    <message>
        <source>Indexing: {percent} %</source>
        <translation>Indexation&#xa0;: {percent}&#xa0;%</translation>
    </message>
    <message>
        <source>read, write, ask, admin or remote (read)</source>
        <translation>read, write, ask, admin ou remote (read)</translation>
    </message>
    <message>
        <source>expire after N days</source>
        <translation>expire après N jours</translation>
    </message>
    <message>
        <source>at most N requests a minute</source>
        <translation>au plus N requêtes par minute</translation>
    </message>
    <message>
        <source>serve other programs on this computer until Ctrl+C</source>
        <translation>servir les autres programmes de cet ordinateur jusqu’à Ctrl+C</translation>
    </message>
    <message>
        <source>port to listen on; 0 means any free port</source>
        <translation>port d’écoute&#xa0;; 0 signifie n’importe quel port libre</translation>
    </message>
    <message>
        <source>make, list and revoke tokens for other programs</source>
        <translation>créer, lister et révoquer des jetons pour d’autres programmes</translation>
    </message>
    <message>
        <source>make a token and print it; it is not shown again</source>
        <translation>créer un jeton et l’afficher&#xa0;; il ne sera plus affiché ensuite</translation>
    </message>
    <message>
        <source>name of the program that will use it</source>
        <translation>nom du programme qui l’utilisera</translation>
    </message>
    <message>
        <source>allow access to this project only</source>
        <translation>n’autoriser l’accès qu’à ce projet</translation>
    </message>
    <message>
        <source>use at most N model tokens a minute</source>
        <translation>utiliser au plus N tokens de modèles par minute</translation>
    </message>
    <message>
        <source>spend at most USD dollars a day</source>
        <translation>dépenser au plus USD dollars par jour</translation>
    </message>
    <message>
        <source>write the token to this file instead of printing it</source>
        <translation>écrire le jeton dans ce fichier au lieu de l’afficher</translation>
    </message>
    <message>
        <source>list the tokens, without their secret texts</source>
        <translation>lister les jetons, sans leur contenu secret</translation>
    </message>
    <message>
        <source>revoke a token and end what is being done with it</source>
        <translation>révoquer un jeton et interrompre ce qui l’utilise</translation>
    </message>
    <message>
        <source>its name or id</source>
        <translation>son nom ou son identifiant</translation>
    </message>
    <message>
        <source>Listening on {url}</source>
        <translation>À l’écoute sur {url}</translation>
    </message>
    <message>
        <source>Listening on {socket}</source>
        <translation>À l’écoute sur {socket}</translation>
    </message>
    <message>
        <source>The token “{name}”, which is shown only now:</source>
        <translation>Le jeton «&#xa0;{name}&#xa0;», affiché cette seule fois&#xa0;:</translation>
    </message>
    <message>
        <source>The token “{name}” is revoked.</source>
        <translation>Le jeton «&#xa0;{name}&#xa0;» est révoqué.</translation>
    </message>
    <message>
        <source>never used</source>
        <translation>jamais utilisé</translation>
    </message>
    <message>
        <source>used {time}</source>
        <translation>dernière utilisation&#xa0;: {time}</translation>
    </message>
    <message>
        <source>until {time}</source>
        <translation>jusqu’au {time}</translation>
    </message>
    <message>
        <source>There are no tokens.</source>
        <translation>Il n’y a pas de jetons.</translation>
    </message>
    <message>
        <source>it must be a number from 0 to 65535</source>
        <translation>il faut un nombre de 0 à 65535</translation>
    </message>
    <message>
        <source>it must be a number above 0 and below 1,000,000</source>
        <translation>il faut un nombre supérieur à 0 et inférieur à 1&#xa0;000&#xa0;000</translation>
    </message>
    <message>
        <source>share projects through a team&apos;s database</source>
        <translation>partager des projets au moyen de la base de données d’une équipe</translation>
    </message>
    <message>
        <source>Use Settings, Team sync in its window, or close it first.</source>
        <translation>Utilisez Paramètres, Synchronisation d’équipe dans sa fenêtre, ou fermez-la d’abord.</translation>
    </message>
    <message>
        <source>this profile is in no workspace</source>
        <translation>ce profil n’appartient à aucun espace de travail</translation>
    </message>
    <message>
        <source>owner</source>
        <translation>propriétaire</translation>
    </message>
    <message>
        <source>show the state of this profile&apos;s workspaces, and what was refused</source>
        <translation>afficher l’état des espaces de travail de ce profil, et ce qui a été refusé</translation>
    </message>
    <message>
        <source>check a server before making a workspace, or what the server of one has lost</source>
        <translation>vérifier un serveur avant de créer un espace de travail, ou ce que le serveur d’un espace de travail a perdu</translation>
    </message>
    <message>
        <source>show or set who may invite and share in a workspace, and its limits</source>
        <translation>afficher ou définir qui peut inviter et partager dans un espace de travail, et ses limites</translation>
    </message>
    <message>
        <source>what an owner of the workspace sets</source>
        <translation>ce que définit un propriétaire de l’espace de travail</translation>
    </message>
    <message>
        <source>parked: this profile was restored, repaired or copied, and is not connected</source>
        <translation>mis de côté&#xa0;: ce profil a été restauré, réparé ou copié, il n’est pas connecté</translation>
    </message>
    <message>
        <source>&apos;chatdesk team join&apos; connects again</source>
        <translation>«&#xa0;chatdesk team join&#xa0;» reconnecte</translation>
    </message>
    <message>
        <source>member</source>
        <translation>membre</translation>
    </message>
    <message numerus="yes">
        <source>{count} shared</source>
        <comment>{count} shared</comment>
        <translation>
            <numerusform>{count} partagé</numerusform>
            <numerusform>{count} partagés</numerusform>
        </translation>
    </message>
    <message>
        <source>{waiting} waiting, {refused} refused</source>
        <translation>{waiting} en attente, {refused} refusées</translation>
    </message>
    <message>
        <source>The window lets it go on without them: Settings, Team sync, Details.</source>
        <translation>La fenêtre permet de continuer sans elles&#xa0;: Paramètres, Synchronisation d’équipe, Détails.</translation>
    </message>
    <message numerus="yes">
        <source>{number} projects</source>
        <comment>{number} project</comment>
        <translation>
            <numerusform>{number} projet</numerusform>
            <numerusform>{number} projets</numerusform>
        </translation>
    </message>
    <message>
        <source>list the members, as the server has them now</source>
        <translation>lister les membres, tels que le serveur les connaît actuellement</translation>
    </message>
    <message>
        <source>name or id of the workspace, if there are several</source>
        <translation>nom ou identifiant de l’espace de travail, s’il y en a plusieurs</translation>
    </message>
    <message>
        <source>wait for the server at most this long ({seconds})</source>
        <translation>attendre le serveur au plus pendant cette durée ({seconds})</translation>
    </message>
    <message>
        <source>Only owners erase a project.</source>
        <translation>Seuls les propriétaires peuvent effacer un projet.</translation>
    </message>
    <message>
        <source>“{name}” is erased.</source>
        <translation>«&#xa0;{name}&#xa0;» est effacé.</translation>
    </message>
    <message>
        <source>There is no such workspace in this profile.</source>
        <translation>Cet espace de travail n’existe pas dans ce profil.</translation>
    </message>
    <message>
        <source>&apos;chatdesk team status&apos; lists them.</source>
        <translation>«&#xa0;chatdesk team status&#xa0;» les liste.</translation>
    </message>
    <message>
        <source>There are several workspaces.</source>
        <translation>Il y a plusieurs espaces de travail.</translation>
    </message>
    <message>
        <source>Name one by its id; &apos;chatdesk team status&apos; lists them.</source>
        <translation>Indiquez-en un par son identifiant&#xa0;; «&#xa0;chatdesk team status&#xa0;» les liste.</translation>
    </message>
    <message>
        <source>Passphrase of the file of keys: </source>
        <translation>Phrase secrète du fichier de clés&#xa0;: </translation>
    </message>
    <message>
        <source>There is no keyring here. New passphrase for an encrypted file of keys: </source>
        <translation>Il n’y a pas de trousseau ici. Nouvelle phrase secrète pour un fichier de clés chiffré&#xa0;: </translation>
    </message>
    <message numerus="yes">
        <source>{count} changes wait</source>
        <comment>{count} change waits</comment>
        <translation>
            <numerusform>{count} modification attend</numerusform>
            <numerusform>{count} modifications attendent</numerusform>
        </translation>
    </message>
    <message>
        <source>No passphrase was given.</source>
        <translation>Aucune phrase secrète n’a été donnée.</translation>
    </message>
    <message>
        <source>Type it when you are asked, give it as the next line of stdin, or set {variable}.</source>
        <translation>Saisissez-la quand on vous la demande, donnez-la comme ligne suivante de l’entrée standard, ou définissez {variable}.</translation>
    </message>
    <message>
        <source>make a workspace in an empty database</source>
        <translation>créer un espace de travail dans une base de données vide</translation>
    </message>
    <message>
        <source>name of the workspace</source>
        <translation>nom de l’espace de travail</translation>
    </message>
    <message>
        <source>your name, as the others see it</source>
        <translation>votre nom, tel que les autres le voient</translation>
    </message>
    <message>
        <source>print an invitation</source>
        <translation>afficher une invitation</translation>
    </message>
    <message>
        <source>name of the person</source>
        <translation>nom de la personne</translation>
    </message>
    <message>
        <source>valid for N days (7)</source>
        <translation>valable N jours (7)</translation>
    </message>
    <message>
        <source>stop being a member, on all computers</source>
        <translation>cesser d’être membre, sur tous les ordinateurs</translation>
    </message>
    <message>
        <source>upgrade the database of a workspace</source>
        <translation>mettre à niveau la base de données d’un espace de travail</translation>
    </message>
    <message>
        <source>the login that set the database up</source>
        <translation>l’identifiant avec lequel la base de données a été installée</translation>
    </message>
    <message>
        <source>read a password and print the form in which Postgres stores it</source>
        <translation>lire un mot de passe et afficher la forme sous laquelle Postgres le stocke</translation>
    </message>
    <message>
        <source>The workspace {name} was made. You are its owner.</source>
        <translation>L’espace de travail {name} est créé. Vous en êtes propriétaire.</translation>
    </message>
    <message>
        <source>The invitation is in {file}. Anyone who has it can join.</source>
        <translation>L’invitation est dans {file}. Quiconque la détient peut rejoindre l’équipe.</translation>
    </message>
    <message>
        <source>Passphrase: </source>
        <translation>Phrase secrète&#xa0;: </translation>
    </message>
    <message>
        <source>You are in the workspace {name} now.</source>
        <translation>Vous êtes maintenant dans l’espace de travail {name}.</translation>
    </message>
    <message>
        <source>Leave {name}? Its projects stay here as private copies.</source>
        <translation>Quitter {name}&#xa0;? Ses projets restent ici comme copies privées.</translation>
    </message>
    <message>
        <source>You left {name}.</source>
        <translation>Vous avez quitté {name}.</translation>
    </message>
    <message>
        <source>Connect to {name}, the database {database} on {host}:{port}?</source>
        <translation>Se connecter à {name}, la base de données {database} sur {host}:{port}&#xa0;?</translation>
    </message>
    <message>
        <source>You are in {name} again.</source>
        <translation>Vous êtes à nouveau dans {name}.</translation>
    </message>
    <message>
        <source>shared project, and the role in it: viewer, editor, admin or owner; may be repeated</source>
        <translation>projet partagé et rôle dans ce projet&#xa0;: viewer, editor, admin ou owner&#xa0;; répétable</translation>
    </message>
    <message>
        <source>write the invitation to this file instead of printing it</source>
        <translation>écrire l’invitation dans ce fichier au lieu de l’afficher</translation>
    </message>
    <message>
        <source>join with an invitation, or with a code from another computer of yours</source>
        <translation>rejoindre avec une invitation, ou avec un code d’un autre de vos ordinateurs</translation>
    </message>
    <message>
        <source>accept a server without encryption</source>
        <translation>accepter un serveur sans chiffrement</translation>
    </message>
    <message>
        <source>stop syncing; everything stays on this computer</source>
        <translation>arrêter la synchronisation&#xa0;; tout reste sur cet ordinateur</translation>
    </message>
    <message>
        <source>print a code for another computer of yours</source>
        <translation>afficher un code pour un autre de vos ordinateurs</translation>
    </message>
    <message>
        <source>write the code to this file instead of printing it</source>
        <translation>écrire le code dans ce fichier au lieu de l’afficher</translation>
    </message>
    <message>
        <source>login that owns the database and may create roles</source>
        <translation>compte qui possède la base de données et peut créer des rôles</translation>
    </message>
    <message>
        <source>address of the server, as postgresql://login@host:5432/database</source>
        <translation>adresse du serveur, sous la forme postgresql://login@host:5432/database</translation>
    </message>
    <message>
        <source>file with the invitation or the code; - reads it from stdin. Without it, a parked team is joined again</source>
        <translation>fichier contenant l’invitation ou le code&#xa0;; - le lit sur stdin. Sans lui, vous rejoignez de nouveau une équipe mise de côté</translation>
    </message>
    <message>
        <source>name or IP address of the server, instead of --url</source>
        <translation>nom ou adresse IP du serveur, au lieu de --url</translation>
    </message>
    <message>
        <source>name of the database</source>
        <translation>nom de la base de données</translation>
    </message>
    <message>
        <source>certificate of the server&apos;s authority, if it is a private one</source>
        <translation>certificat de l’autorité de certification du serveur, si elle est privée</translation>
    </message>
    <message>
        <source>connect without encryption; only for a network of your own</source>
        <translation>se connecter sans chiffrement&#xa0;; seulement pour votre propre réseau</translation>
    </message>
    <message>
        <source>for {name}; it works once, and anyone who has it can join</source>
        <translation>pour {name}&#xa0;; elle ne sert qu’une fois, et quiconque la détient peut rejoindre l’équipe</translation>
    </message>
    <message>
        <source>its passphrase is {passphrase}; both are valid for a day</source>
        <translation>sa phrase secrète est {passphrase}&#xa0;; les deux sont valables un jour</translation>
    </message>
    <message>
        <source>The database of {name} is up to date.</source>
        <translation>La base de données de {name} est à jour.</translation>
    </message>
    <message>
        <source>Password of {user}: </source>
        <translation>Mot de passe de {user}&#xa0;: </translation>
    </message>
    <message>
        <source>Password: </source>
        <translation>Mot de passe&#xa0;: </translation>
    </message>
    <message>
        <source>The others see you as {name}.</source>
        <translation>Les autres vous voient sous le nom de {name}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} shared projects are called “{name}”.</source>
        <comment>{count} shared project is called “{name}”.</comment>
        <translation>
            <numerusform>{count} projet partagé s’appelle «&#xa0;{name}&#xa0;».</numerusform>
            <numerusform>{count} projets partagés s’appellent «&#xa0;{name}&#xa0;».</numerusform>
        </translation>
    </message>
    <message>
        <source>No shared project is called “{name}”.</source>
        <translation>Aucun projet partagé ne s’appelle «&#xa0;{name}&#xa0;».</translation>
    </message>
    <message>
        <source>Nobody was invited.</source>
        <translation>Personne n’a été invité.</translation>
    </message>
    <message>
        <source>Share it first (&apos;chatdesk team share&apos;), or give its id.</source>
        <translation>Partagez-le d’abord («&#xa0;chatdesk team share&#xa0;»), ou donnez son identifiant.</translation>
    </message>
    <message>
        <source>“{given}” is not a limit with its value.</source>
        <translation>«&#xa0;{given}&#xa0;» n’est pas une limite avec sa valeur.</translation>
    </message>
    <message>
        <source>Use NAME=VALUE with one of these names: {names}.</source>
        <translation>Utilisez NOM=VALEUR avec l’un de ces noms&#xa0;: {names}.</translation>
    </message>
    <message>
        <source>“{role}” is not a role.</source>
        <translation>«&#xa0;{role}&#xa0;» n’est pas un rôle.</translation>
    </message>
    <message>
        <source>Use viewer, editor, admin or owner.</source>
        <translation>Utilisez viewer, editor, admin ou owner.</translation>
    </message>
    <message>
        <source>Do not put a password into the arguments: everybody on this computer can see them.</source>
        <translation>Ne mettez pas de mot de passe dans les arguments&#xa0;: tout le monde sur cet ordinateur peut les voir.</translation>
    </message>
    <message>
        <source>Nothing was sent.</source>
        <translation>Rien n’a été envoyé.</translation>
    </message>
    <message>
        <source>Change that password, since others may have seen it, and give the new one on stdin or in {variable}.</source>
        <translation>Changez ce mot de passe, car d’autres ont pu le voir, et donnez le nouveau sur stdin ou dans {variable}.</translation>
    </message>
    <message>
        <source>{name} is not a certificate in PEM form.</source>
        <translation>{name} n’est pas un certificat au format PEM.</translation>
    </message>
    <message>
        <source>{path}: {reason}.</source>
        <translation>{path}&#xa0;: {reason}.</translation>
    </message>
    <message>
        <source>Check the name of the file.</source>
        <translation>Vérifiez le nom du fichier.</translation>
    </message>
    <message>
        <source>share a project with a workspace</source>
        <translation>partager un projet avec un espace de travail</translation>
    </message>
    <message>
        <source>send waiting changes and fetch those of others</source>
        <translation>envoyer les modifications en attente et récupérer celles des autres</translation>
    </message>
    <message>
        <source>Share “{project}” ({threads}, {messages}) with {workspace}? What is sent cannot be taken back from those who have read it.</source>
        <translation>Partager «&#xa0;{project}&#xa0;» ({threads}, {messages}) avec {workspace}&#xa0;? Ce qui est envoyé ne peut pas être repris à ceux qui l’ont lu.</translation>
    </message>
    <message>
        <source>“{name}” is the project into which new threads go: what you ask from now on without naming another project is shared, too.</source>
        <translation>«&#xa0;{name}&#xa0;» est le projet où vont les nouvelles conversations&#xa0;: ce que vous demanderez désormais sans indiquer un autre projet sera partagé aussi.</translation>
    </message>
    <message>
        <source>“{project}” is shared with {workspace}.</source>
        <translation>«&#xa0;{project}&#xa0;» est partagé avec {workspace}.</translation>
    </message>
    <message>
        <source>This is a private copy.</source>
        <translation>C’est une copie privée.</translation>
    </message>
    <message>
        <source>is up to date</source>
        <translation>est à jour</translation>
    </message>
    <message>
        <source>{state}, {count} refused (&apos;chatdesk team status&apos; lists them)</source>
        <translation>{state}, {count} refusées («&#xa0;chatdesk team status&#xa0;» les liste)</translation>
    </message>
    <message>
        <source>{workspace}: {state}.</source>
        <translation>{workspace}&#xa0;: {state}.</translation>
    </message>
    <message>
        <source>The team has not got it yet: {problem} It waits here; &apos;chatdesk team sync&apos; sends it.</source>
        <translation>L’équipe ne l’a pas encore reçu&#xa0;: {problem} Cela attend ici&#xa0;; «&#xa0;chatdesk team sync&#xa0;» l’envoie.</translation>
    </message>
    <message>
        <source>The team has not got it yet. It waits here; &apos;chatdesk team sync&apos; sends it.</source>
        <translation>L’équipe ne l’a pas encore reçu. Cela attend ici&#xa0;; «&#xa0;chatdesk team sync&#xa0;» l’envoie.</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes wait here.</source>
        <comment>{count} change waits here.</comment>
        <translation>
            <numerusform>{count} modification attend ici.</numerusform>
            <numerusform>{count} modifications attendent ici.</numerusform>
        </translation>
    </message>
    <message>
        <source>&apos;chatdesk team sync&apos; continues.</source>
        <translation>«&#xa0;chatdesk team sync&#xa0;» continue.</translation>
    </message>
    <message>
        <source>This project is not shared.</source>
        <translation>Ce projet n’est pas partagé.</translation>
    </message>
    <message>
        <source>list projects, or make one</source>
        <translation>lister les projets, ou en créer un</translation>
    </message>
    <message>
        <source>make a project and print its id</source>
        <translation>créer un projet et afficher son identifiant</translation>
    </message>
    <message>
        <source>name of the project</source>
        <translation>nom du projet</translation>
    </message>
    <message>
        <source>list threads, latest first</source>
        <translation>lister les conversations, la plus récente d’abord</translation>
    </message>
    <message>
        <source>list archived threads</source>
        <translation>lister les conversations archivées</translation>
    </message>
    <message>
        <source>list threads in the trash</source>
        <translation>lister les conversations de la corbeille</translation>
    </message>
    <message>
        <source>list threads of this project</source>
        <translation>lister les conversations de ce projet</translation>
    </message>
    <message>
        <source>list threads with this tag</source>
        <translation>lister les conversations avec cette étiquette</translation>
    </message>
    <message>
        <source>at most N threads (50)</source>
        <translation>au plus N conversations (50)</translation>
    </message>
    <message>
        <source>print a thread</source>
        <translation>afficher une conversation</translation>
    </message>
    <message>
        <source>(archived)</source>
        <translation>(archivée)</translation>
    </message>
    <message>
        <source>ChatDesk is open and keeps the projects.</source>
        <translation>ChatDesk est ouvert et gère les projets.</translation>
    </message>
    <message>
        <source>Make the project there, or close ChatDesk first.</source>
        <translation>Créez le projet dans sa fenêtre, ou fermez d’abord ChatDesk.</translation>
    </message>
    <message>
        <source>There is no tag “{tag}”.</source>
        <translation>Il n’y a pas d’étiquette «&#xa0;{tag}&#xa0;».</translation>
    </message>
    <message>
        <source>Check its name in the window.</source>
        <translation>Vérifiez son nom dans la fenêtre.</translation>
    </message>
    <message>
        <source>There are no threads here yet.</source>
        <translation>Il n’y a pas encore de conversation ici.</translation>
    </message>
    <message>
        <source>“{wanted}” is not the beginning of a thread&apos;s id.</source>
        <translation>«&#xa0;{wanted}&#xa0;» n’est pas le début d’un identifiant de conversation.</translation>
    </message>
    <message>
        <source>Give at least {count} of its characters; &apos;chatdesk threads&apos; lists them.</source>
        <translation>Donnez-en au moins {count} caractères&#xa0;; «&#xa0;chatdesk threads&#xa0;» les liste.</translation>
    </message>
    <message>
        <source>No thread&apos;s id begins with {prefix}.</source>
        <translation>Aucun identifiant de conversation ne commence par {prefix}.</translation>
    </message>
    <message>
        <source>&apos;chatdesk threads&apos; lists them.</source>
        <translation>«&#xa0;chatdesk threads&#xa0;» les liste.</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads have ids that begin with {prefix}.</source>
        <comment>{count} thread has an id that begins with {prefix}.</comment>
        <translation>
            <numerusform>{count} conversation a un identifiant qui commence par {prefix}.</numerusform>
            <numerusform>{count} conversations ont un identifiant qui commence par {prefix}.</numerusform>
        </translation>
    </message>
    <message>
        <source>Give more of the id.</source>
        <translation>Donnez davantage de caractères de l’identifiant.</translation>
    </message>
    <message>
        <source>it must be a whole number, at least 1</source>
        <translation>il faut un nombre entier, au moins 1</translation>
    </message>
    <message>
        <source>See &apos;chatdesk projects&apos;.</source>
        <translation>Consultez «&#xa0;chatdesk projects&#xa0;».</translation>
    </message>
    <message numerus="yes">
        <source>{count} projects are called “{name}”: {projects}.</source>
        <comment>{count} project is called “{name}”: {projects}.</comment>
        <translation>
            <numerusform>{count} projet s’appelle «&#xa0;{name}&#xa0;»&#xa0;: {projects}.</numerusform>
            <numerusform>{count} projets s’appellent «&#xa0;{name}&#xa0;»&#xa0;: {projects}.</numerusform>
        </translation>
    </message>
    <message>
        <source>Give the id of one.</source>
        <translation>Donnez l’identifiant de l’un d’eux.</translation>
    </message>
    <message>
        <source>No project is called “{name}”.</source>
        <translation>Aucun projet ne s’appelle «&#xa0;{name}&#xa0;».</translation>
    </message>
    <message>
        <source>No project that is shared is called “{name}”.</source>
        <translation>Aucun projet partagé ne s’appelle «&#xa0;{name}&#xa0;».</translation>
    </message>
    <message>
        <source>No project that is not shared yet is called “{name}”.</source>
        <translation>Parmi les projets non partagés, aucun ne s’appelle «&#xa0;{name}&#xa0;».</translation>
    </message>
    <message>
        <source>switch a server on</source>
        <translation>activer un serveur</translation>
    </message>
    <message>
        <source>switch a server off</source>
        <translation>désactiver un serveur</translation>
    </message>
    <message>
        <source>sign in to a server over HTTP, in your browser</source>
        <translation>se connecter à un serveur HTTP, dans votre navigateur</translation>
    </message>
    <message>
        <source>start servers and list their tools, step by step</source>
        <translation>démarrer des serveurs et lister leurs outils, étape par étape</translation>
    </message>
    <message>
        <source>environment variable whose value is kept in the keyring and given to the server; may be repeated</source>
        <translation>variable d’environnement dont la valeur est gardée dans le trousseau et donnée au serveur&#xa0;; répétable</translation>
    </message>
    <message>
        <source>remove a server</source>
        <translation>retirer un serveur</translation>
    </message>
    <message>
        <source>sign out of a server</source>
        <translation>se déconnecter d’un serveur</translation>
    </message>
    <message>
        <source>set up the servers whose tools models may use</source>
        <translation>configurer les serveurs dont les modèles peuvent utiliser les outils</translation>
    </message>
    <message>
        <source>list the servers, and whether they are on</source>
        <translation>lister les serveurs et dire s’ils sont activés</translation>
    </message>
    <message>
        <source>add a server; put options before its name</source>
        <translation>ajouter un serveur&#xa0;; mettez les options avant son nom</translation>
    </message>
    <message>
        <source>name of the server</source>
        <translation>nom du serveur</translation>
    </message>
    <message>
        <source>program to run, with its arguments</source>
        <translation>programme à lancer, avec ses arguments</translation>
    </message>
    <message>
        <source>address of the server, if it is reached over HTTP</source>
        <translation>adresse du serveur, s’il est joint par HTTP</translation>
    </message>
    <message>
        <source>id of the OAuth client that you registered for the address</source>
        <translation>identifiant du client OAuth que vous avez enregistré pour l’adresse</translation>
    </message>
    <message>
        <source>environment variable that holds the client&apos;s secret</source>
        <translation>variable d’environnement qui contient le secret du client</translation>
    </message>
    <message>
        <source>folder in which the program runs (by default an empty one)</source>
        <translation>dossier dans lequel le programme s’exécute (par défaut un dossier vide)</translation>
    </message>
    <message>
        <source>add servers from the JSON settings of another program</source>
        <translation>ajouter des serveurs à partir des réglages JSON d’un autre programme</translation>
    </message>
    <message>
        <source>file with the JSON; - reads it from stdin</source>
        <translation>fichier contenant le JSON&#xa0;; - le lit sur stdin</translation>
    </message>
    <message>
        <source>id of the server (by default all that are on)</source>
        <translation>identifiant du serveur (par défaut tous ceux qui sont activés)</translation>
    </message>
    <message>
        <source>id of the server</source>
        <translation>identifiant du serveur</translation>
    </message>
    <message>
        <source>list what tools may do without asking again</source>
        <translation>lister ce que les outils peuvent faire sans redemander</translation>
    </message>
    <message>
        <source>take back permissions of a server&apos;s tools</source>
        <translation>retirer des autorisations aux outils d’un serveur</translation>
    </message>
    <message>
        <source>name of the tool (by default all tools of the server)</source>
        <translation>nom de l’outil (par défaut tous les outils du serveur)</translation>
    </message>
    <message>
        <source>show or set the folder in which tools work for a project</source>
        <translation>afficher ou définir le dossier dans lequel les outils travaillent pour un projet</translation>
    </message>
    <message>
        <source>folder to set; without it, the current one is shown</source>
        <translation>dossier à définir&#xa0;; sans lui, le dossier actuel est affiché</translation>
    </message>
    <message>
        <source>remove the folder from the project</source>
        <translation>retirer le dossier du projet</translation>
    </message>
    <message>
        <source>ChatDesk is open and keeps the tool servers.</source>
        <translation>ChatDesk est ouvert et gère les serveurs d’outils.</translation>
    </message>
    <message>
        <source>Change them in Settings, Tools, or close ChatDesk first.</source>
        <translation>Changez-les dans Paramètres, Outils, ou fermez d’abord ChatDesk.</translation>
    </message>
    <message>
        <source>on</source>
        <translation>actif</translation>
    </message>
    <message>
        <source>off</source>
        <translation>inactif</translation>
    </message>
    <message>
        <source>A server has either an address or a command.</source>
        <translation>Un serveur a soit une adresse, soit une commande.</translation>
    </message>
    <message>
        <source>Write: add --address URL NAME, or: add NAME COMMAND ARGUMENTS.</source>
        <translation>Écrivez&#xa0;: add --address URL NAME, ou&#xa0;: add NAME COMMAND ARGUMENTS.</translation>
    </message>
    <message>
        <source>The variable {first} is not set here.</source>
        <translation>La variable {first} n’est pas définie ici.</translation>
    </message>
    <message>
        <source>{name}: {field} is still to be filled in.</source>
        <translation>{name}&#xa0;: il reste à renseigner {field}.</translation>
    </message>
    <message>
        <source>They are off until you switch them on: chatdesk tools on SERVER.</source>
        <translation>Ils sont inactifs jusqu’à ce que vous les activiez&#xa0;: chatdesk tools on SERVER.</translation>
    </message>
    <message>
        <source>There was no such permission.</source>
        <translation>Cette autorisation n’existait pas.</translation>
    </message>
    <message>
        <source>ok</source>
        <translation>ok</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>échec</translation>
    </message>
    <message>
        <source>Sign in to {name} in your browser. If no page opens, open this one:</source>
        <translation>Connectez-vous à {name} dans votre navigateur. Si aucune page ne s’ouvre, ouvrez celle-ci&#xa0;:</translation>
    </message>
    <message>
        <source>Signed in.</source>
        <translation>Connecté.</translation>
    </message>
    <message>
        <source>{name} did not ask you to sign in.</source>
        <translation>{name} ne vous a pas demandé de vous connecter.</translation>
    </message>
    <message>
        <source>Signed out, here and at the server.</source>
        <translation>Déconnecté, ici et sur le serveur.</translation>
    </message>
    <message>
        <source>Signed out on this computer. The server was not told, or cannot withdraw the sign-in.</source>
        <translation>Déconnecté sur cet ordinateur. Le serveur n’a pas été prévenu, ou ne peut pas révoquer la connexion.</translation>
    </message>
    <message>
        <source>There is no tool server “{name}”.</source>
        <translation>Il n’y a pas de serveur d’outils «&#xa0;{name}&#xa0;».</translation>
    </message>
    <message>
        <source>See chatdesk tools list.</source>
        <translation>Consultez chatdesk tools list.</translation>
    </message>
    <message>
        <source>comes with ChatDesk</source>
        <translation>fourni avec ChatDesk</translation>
    </message>
    <message>
        <source>{place} could not be read.</source>
        <translation>{place} n’a pas pu être lu.</translation>
    </message>
    <message>
        <source>address of SearXNG</source>
        <translation>adresse de SearXNG</translation>
    </message>
    <message>
        <source>The variable {key} is not set here.</source>
        <translation>La variable {key} n’est pas définie ici.</translation>
    </message>
    <message>
        <source>show or set the search engine that models use for the web</source>
        <translation>afficher ou définir le moteur de recherche que les modèles utilisent sur le web</translation>
    </message>
    <message>
        <source>environment variable that holds the key</source>
        <translation>variable d’environnement qui contient la clé</translation>
    </message>
    <message>
        <source>test the engine step by step; an ENGINE that is given is tested without being set</source>
        <translation>tester le moteur étape par étape&#xa0;; un ENGINE indiqué est testé sans être retenu</translation>
    </message>
    <message>
        <source>remove the stored key of the engine</source>
        <translation>retirer la clé enregistrée du moteur</translation>
    </message>
    <message>
        <source>print a JSON object, or with --test an array of its steps</source>
        <translation>afficher un objet JSON ou, avec --test, un tableau de ses étapes</translation>
    </message>
    <message>
        <source>Name the engine whose key should be removed.</source>
        <translation>Indiquez le moteur dont la clé doit être retirée.</translation>
    </message>
    <message>
        <source>with a key</source>
        <translation>avec une clé</translation>
    </message>
    <message>
        <source>without a key</source>
        <translation>sans clé</translation>
    </message>
    <message>
        <source>No search engine is chosen.</source>
        <translation>Aucun moteur de recherche n’est choisi.</translation>
    </message>
    <message>
        <source>Name one to test it.</source>
        <translation>Indiquez-en un pour le tester.</translation>
    </message>
    <message>
        <source>Left out: an answer has at most {most_in_message} pictures.</source>
        <translation>Omise&#xa0;: une réponse contient au plus {most_in_message} images.</translation>
    </message>
    <message>
        <source>Not kept: {reason}</source>
        <translation>Non conservée&#xa0;: {reason}</translation>
    </message>
    <message>
        <source>The pictures of this answer are larger than {most_bytes} MB together.</source>
        <translation>Les images de cette réponse dépassent ensemble {most_bytes}&#xa0;Mo.</translation>
    </message>
    <message>
        <source>It is not a picture that can be shown.</source>
        <translation>Ce n’est pas une image affichable.</translation>
    </message>
    <message>
        <source>The picture is damaged.</source>
        <translation>L’image est endommagée.</translation>
    </message>
    <message>
        <source>The picture is empty.</source>
        <translation>L’image est vide.</translation>
    </message>
    <message>
        <source>Remove some and send them with the next message, or raise the limit in Settings, Usage and limits.</source>
        <translation>Retirez-en quelques-uns et envoyez-les avec le message suivant, ou relevez la limite dans Paramètres, Utilisation et limites.</translation>
    </message>
    <message>
        <source>Choose another file, or change the kinds in Settings, Usage and limits.</source>
        <translation>Choisissez un autre fichier, ou changez les types dans Paramètres, Utilisation et limites.</translation>
    </message>
    <message>
        <source>Your text and the attachments are kept.</source>
        <translation>Votre texte et les pièces jointes sont conservés.</translation>
    </message>
    <message>
        <source>“{name}” is of a kind that may not be attached: {mime}.</source>
        <translation>«&#xa0;{name}&#xa0;» est d’un type qui ne peut pas être joint&#xa0;: {mime}.</translation>
    </message>
    <message>
        <source>A message can have at most {number} files; there are {attachments}.</source>
        <translation>Un message accepte au plus {number} fichiers&#xa0;; il y en a {attachments}.</translation>
    </message>
    <message>
        <source>The files of one message can have at most {limit} together; these have {total}.</source>
        <translation>Ensemble, les fichiers d’un message ne peuvent pas dépasser {limit}&#xa0;; ceux-ci font {total}.</translation>
    </message>
    <message>
        <source>With “{name}”, the files attached today would have {total}; the limit for a day is {limit}.</source>
        <translation>Avec «&#xa0;{name}&#xa0;», les fichiers joints aujourd’hui feraient {total}&#xa0;; la limite quotidienne est de {limit}.</translation>
    </message>
    <message>
        <source>Your text and the other attachments are kept.</source>
        <translation>Votre texte et les autres pièces jointes sont conservés.</translation>
    </message>
    <message>
        <source>Attach it tomorrow, or raise the limit in Settings, Usage and limits.</source>
        <translation>Joignez-le demain, ou relevez la limite dans Paramètres, Utilisation et limites.</translation>
    </message>
    <message>
        <source>A message can have {number} files; {number_2} were left out.</source>
        <translation>Un message accepte {number} fichiers&#xa0;; {number_2} ont été omis.</translation>
    </message>
    <message>
        <source>The attached file is no longer there.</source>
        <translation>Le fichier joint n’existe plus.</translation>
    </message>
    <message>
        <source>The attached file is larger than it was.</source>
        <translation>Le fichier joint est plus grand qu’avant.</translation>
    </message>
    <message>
        <source>That is not the checksum of a file.</source>
        <translation>Ce n’est pas la somme de contrôle d’un fichier.</translation>
    </message>
    <message>
        <source>The file could not be stored with your messages: {reason}.</source>
        <translation>Le fichier n’a pas pu être enregistré avec vos messages&#xa0;: {reason}.</translation>
    </message>
    <message>
        <source>Make room on the disk or choose another data directory, then attach it again.</source>
        <translation>Faites de la place sur le disque ou choisissez un autre dossier de données, puis joignez-le à nouveau.</translation>
    </message>
    <message>
        <source>It needs too much time or memory to be read.</source>
        <translation>Sa lecture demande trop de temps ou de mémoire.</translation>
    </message>
    <message>
        <source>It is damaged.</source>
        <translation>Elle est endommagée.</translation>
    </message>
    <message>
        <source>It has more than {most_pixels} million pixels.</source>
        <translation>Elle a plus de {most_pixels} millions de pixels.</translation>
    </message>
    <message>
        <source>It is damaged, or not an image that can be shown.</source>
        <translation>Elle est endommagée, ou ce n’est pas une image affichable.</translation>
    </message>
    <message>
        <source>“{name}” is empty.</source>
        <translation>«&#xa0;{name}&#xa0;» est vide.</translation>
    </message>
    <message>
        <source>Attach a file that is not empty.</source>
        <translation>Joignez un fichier qui n’est pas vide.</translation>
    </message>
    <message>
        <source>The image “{name}” cannot be attached. {reason}</source>
        <translation>L’image «&#xa0;{name}&#xa0;» ne peut pas être jointe. {reason}</translation>
    </message>
    <message>
        <source>Save it again with a drawing program, smaller if need be, and attach that.</source>
        <translation>Enregistrez-la à nouveau avec un logiciel de dessin, plus petite au besoin, et joignez-la.</translation>
    </message>
    <message>
        <source>“{name}” is not there.</source>
        <translation>«&#xa0;{name}&#xa0;» est introuvable.</translation>
    </message>
    <message>
        <source>“{name}” is not a file that can be read.</source>
        <translation>«&#xa0;{name}&#xa0;» n’est pas un fichier lisible.</translation>
    </message>
    <message>
        <source>“{name}” is a folder.</source>
        <translation>«&#xa0;{name}&#xa0;» est un dossier.</translation>
    </message>
    <message>
        <source>Attach the files in it.</source>
        <translation>Joignez les fichiers qu’il contient.</translation>
    </message>
    <message>
        <source>its name or place is not valid</source>
        <translation>son nom ou son emplacement n’est pas valide</translation>
    </message>
    <message>
        <source>“{name}” cannot be read: {reason}.</source>
        <translation>«&#xa0;{name}&#xa0;» ne peut pas être lu&#xa0;: {reason}.</translation>
    </message>
    <message>
        <source>Check the file, then attach it again.</source>
        <translation>Vérifiez le fichier, puis joignez-le à nouveau.</translation>
    </message>
    <message>
        <source>It needs too much memory.</source>
        <translation>Cela demande trop de mémoire.</translation>
    </message>
    <message>
        <source>It is damaged and cannot be read.</source>
        <translation>Il est endommagé et ne peut pas être lu.</translation>
    </message>
    <message>
        <source>What {who} has there is not an image that can be shown.</source>
        <translation>Ce que {who} propose à cette adresse n’est pas une image affichable.</translation>
    </message>
    <message>
        <source>The image could not be loaded.</source>
        <translation>L’image n’a pas pu être chargée.</translation>
    </message>
    <message>
        <source>The image is on another server: {host}.</source>
        <translation>L’image se trouve sur un autre serveur&#xa0;: {host}.</translation>
    </message>
    <message>
        <source>{host} is in your own network.</source>
        <translation>{host} est dans votre propre réseau.</translation>
    </message>
    <message>
        <source>Shown by ChatDesk, once. Scripts and links are off; nothing is loaded or sent.</source>
        <translation>Affichée par ChatDesk, une seule fois. Scripts et liens sont désactivés&#xa0;; rien n’est chargé ni envoyé.</translation>
    </message>
    <message>
        <source>This page is empty.</source>
        <translation>Cette page est vide.</translation>
    </message>
    <message>
        <source>Nothing was opened.</source>
        <translation>Rien n’a été ouvert.</translation>
    </message>
    <message>
        <source>This page is larger than {most_bytes} MB.</source>
        <translation>Cette page dépasse {most_bytes}&#xa0;Mo.</translation>
    </message>
    <message>
        <source>Save it as a file instead.</source>
        <translation>Enregistrez-la plutôt dans un fichier.</translation>
    </message>
    <message>
        <source>Files of this kind have no text that can be read.</source>
        <translation>Les fichiers de ce type n’ont pas de texte lisible.</translation>
    </message>
    <message>
        <source>There is no text in it.</source>
        <translation>Il ne contient pas de texte.</translation>
    </message>
    <message>
        <source>A program for text recognition, such as OCRmyPDF, makes a copy of it that can be read.</source>
        <translation>Un programme de reconnaissance de texte, comme OCRmyPDF, en fait une copie lisible.</translation>
    </message>
    <message>
        <source>It is long; its first {cut} characters are read.</source>
        <translation>Il est long&#xa0;; ses {cut} premiers caractères sont lus.</translation>
    </message>
    <message>
        <source>It does not say how its characters are encoded. Read as {encoding}: “{sample}”.</source>
        <translation>Le fichier n’indique pas l’encodage de ses caractères. Lu en {encoding}&#xa0;: «&#xa0;{sample}&#xa0;».</translation>
    </message>
    <message>
        <source>It is protected by a password.</source>
        <translation>Il est protégé par un mot de passe.</translation>
    </message>
    <message>
        <source>No text can be read from it; it may hold scanned pages.</source>
        <translation>Aucun texte ne peut y être lu&#xa0;; il contient peut-être des pages numérisées.</translation>
    </message>
    <message>
        <source>It is long; {read} of its {total} pages are read.</source>
        <translation>Il est long&#xa0;; {read} de ses {total} pages sont lues.</translation>
    </message>
    <message>
        <source>{damaged} of its {total} pages cannot be read.</source>
        <translation>{damaged} de ses {total} pages ne peuvent pas être lues.</translation>
    </message>
    <message>
        <source>{scanned} of its {total} pages are pictures.</source>
        <translation>{scanned} de ses {total} pages sont des images.</translation>
    </message>
    <message>
        <source>The virus scanner found something in the file.</source>
        <translation>L’antivirus a trouvé quelque chose dans le fichier.</translation>
    </message>
    <message>
        <source>The file was kept out; your text and the other attachments are kept.</source>
        <translation>Le fichier a été refusé&#xa0;; votre texte et les autres pièces jointes sont conservés.</translation>
    </message>
    <message>
        <source>Do not open the file. If you trust it, ask whoever looks after the scanner.</source>
        <translation>N’ouvrez pas le fichier. Si vous lui faites confiance, adressez-vous à la personne qui gère l’antivirus.</translation>
    </message>
    <message>
        <source>The virus scanner does not answer, so the file was kept out.</source>
        <translation>L’antivirus ne répond pas, le fichier a donc été refusé.</translation>
    </message>
    <message>
        <source>Start the scanner, or change the scanner or what happens without it in Settings, Data and backup.</source>
        <translation>Démarrez l’antivirus, ou changez-le, ou changez ce qui se passe sans lui, dans Paramètres, Données et sauvegarde.</translation>
    </message>
    <message>
        <source>Nothing was sent there. The file was kept out; your text and the other attachments are kept.</source>
        <translation>Rien n’y a été envoyé. Le fichier a été refusé&#xa0;; votre texte et les autres pièces jointes sont conservés.</translation>
    </message>
    <message>
        <source>Enter the scanner anew in Settings, Data and backup, or set {variable} to its address.</source>
        <translation>Indiquez de nouveau l’antivirus dans Paramètres, Données et sauvegarde, ou mettez son adresse dans {variable}.</translation>
    </message>
    <message>
        <source>The settings in this data directory, which may be somebody else&apos;s, name a virus scanner on another computer: {address}.</source>
        <translation>Les paramètres de ce dossier de données, qui est peut-être celui de quelqu’un d’autre, désignent un antivirus sur un autre ordinateur&#xa0;: {address}.</translation>
    </message>
    <message>
        <source>The virus scanner found “{found}” in the file.</source>
        <translation>L’antivirus a trouvé «&#xa0;{found}&#xa0;» dans le fichier.</translation>
    </message>
    <message>
        <source>This is not the address of a web page.</source>
        <translation>Ce n’est pas l’adresse d’une page web.</translation>
    </message>
    <message>
        <source>Nothing was fetched.</source>
        <translation>Rien n’a été récupéré.</translation>
    </message>
    <message>
        <source>There is a file of the type {mime} there.</source>
        <translation>Cette adresse mène à un fichier du type {mime}.</translation>
    </message>
    <message>
        <source>ChatDesk is closing.</source>
        <translation>ChatDesk se ferme.</translation>
    </message>
    <message>
        <source>This message has no text that could be opened as an artifact.</source>
        <translation>Ce message n’a pas de texte à ouvrir comme artefact.</translation>
    </message>
    <message>
        <source>The version is unchanged.</source>
        <translation>La version est inchangée.</translation>
    </message>
    <message>
        <source>This kind of file is not shown here. Save it, or open it with another program.</source>
        <translation>Ce type de fichier n’est pas affiché ici. Enregistrez-le, ou ouvrez-le avec un autre programme.</translation>
    </message>
    <message>
        <source>The file is too large to be shown here. Save it, or open it with another program.</source>
        <translation>Le fichier est trop grand pour être affiché ici. Enregistrez-le, ou ouvrez-le avec un autre programme.</translation>
    </message>
    <message>
        <source>These versions are too large to be compared here.</source>
        <translation>Ces versions sont trop grandes pour être comparées ici.</translation>
    </message>
    <message>
        <source>Save both to compare.</source>
        <translation>Enregistrez les deux pour comparer.</translation>
    </message>
    <message>
        <source>Nothing can be opened or edited here, because nothing can be written.</source>
        <translation>Rien ne peut être ouvert ni modifié ici, car rien ne peut être écrit.</translation>
    </message>
    <message>
        <source>The message has {size_bytes} bytes; the limit is {most_bytes} bytes.</source>
        <translation>Le message fait {size_bytes} octets&#xa0;; la limite est de {most_bytes} octets.</translation>
    </message>
    <message>
        <source>The copying was stopped.</source>
        <translation>La copie a été arrêtée.</translation>
    </message>
    <message>
        <source>Nothing can be attached here, because nothing can be written.</source>
        <translation>Rien ne peut être joint ici, car rien ne peut être écrit.</translation>
    </message>
    <message>
        <source>ChatDesk was closing.</source>
        <translation>ChatDesk se fermait.</translation>
    </message>
    <message>
        <source>The file is no longer there.</source>
        <translation>Le fichier n’existe plus.</translation>
    </message>
    <message>
        <source>The page cannot be handed to your browser: {strerror}.</source>
        <translation>La page ne peut pas être transmise à votre navigateur&#xa0;: {strerror}.</translation>
    </message>
    <message>
        <source>The attached file or the folder is no longer there.</source>
        <translation>Le fichier joint ou le dossier n’existe plus.</translation>
    </message>
    <message>
        <source>Choose another place.</source>
        <translation>Choisissez un autre emplacement.</translation>
    </message>
    <message>
        <source>The file could not be written: {strerror}.</source>
        <translation>Le fichier n’a pas pu être écrit&#xa0;: {strerror}.</translation>
    </message>
    <message>
        <source>The attached file is unchanged.</source>
        <translation>Le fichier joint est inchangé.</translation>
    </message>
    <message>
        <source>A page holds 1 to {largest_page} rows.</source>
        <translation>Une page contient de 1 à {largest_page} lignes.</translation>
    </message>
    <message>
        <source>Summaries cannot be made here.</source>
        <translation>Il n’est pas possible de créer des résumés ici.</translation>
    </message>
    <message>
        <source>A summary needs some text.</source>
        <translation>Un résumé doit contenir du texte.</translation>
    </message>
    <message>
        <source>The old one is kept.</source>
        <translation>L’ancien est conservé.</translation>
    </message>
    <message>
        <source>Or switch it off.</source>
        <translation>Ou désactivez-le.</translation>
    </message>
    <message>
        <source>There may be {most_facts} facts of at most {longest_fact} characters.</source>
        <translation>Il peut y avoir au plus {most_facts} faits de {longest_fact} caractères chacun.</translation>
    </message>
    <message>
        <source>The old ones are kept.</source>
        <translation>Les anciens sont conservés.</translation>
    </message>
    <message>
        <source>{label} takes no {lacking} from other programs.</source>
        <translation>{label} n’accepte pas de {lacking} d’autres programmes.</translation>
    </message>
    <message>
        <source>Choose a provider that speaks chat completions.</source>
        <translation>Choisissez un fournisseur qui prend en charge «&#xa0;chat completions&#xa0;».</translation>
    </message>
    <message>
        <source>A draft cannot be empty.</source>
        <translation>Un brouillon ne peut pas être vide.</translation>
    </message>
    <message>
        <source>The thread has another draft, which a person may be writing.</source>
        <translation>La conversation a un autre brouillon, que quelqu’un est peut-être en train d’écrire.</translation>
    </message>
    <message>
        <source>It was not changed.</source>
        <translation>Il n’a pas été modifié.</translation>
    </message>
    <message>
        <source>Write the draft into a new thread.</source>
        <translation>Écrivez le brouillon dans une nouvelle conversation.</translation>
    </message>
    <message>
        <source>A page holds 1 to {largest_page} rows, not {limit}.</source>
        <translation>Une page contient de 1 à {largest_page} lignes, et non {limit}.</translation>
    </message>
    <message numerus="yes">
        <source>pin {count} threads</source>
        <comment>pin thread</comment>
        <translation>
            <numerusform>épingler la conversation</numerusform>
            <numerusform>épingler {count} conversations</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>unpin {count} threads</source>
        <comment>unpin thread</comment>
        <translation>
            <numerusform>désépingler la conversation</numerusform>
            <numerusform>désépingler {count} conversations</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>archive {count} threads</source>
        <comment>archive thread</comment>
        <translation>
            <numerusform>archiver la conversation</numerusform>
            <numerusform>archiver {count} conversations</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>unarchive {count} threads</source>
        <comment>unarchive thread</comment>
        <translation>
            <numerusform>désarchiver la conversation</numerusform>
            <numerusform>désarchiver {count} conversations</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>move {count} threads</source>
        <comment>move thread</comment>
        <translation>
            <numerusform>déplacer la conversation</numerusform>
            <numerusform>déplacer {count} conversations</numerusform>
        </translation>
    </message>
    <message>
        <source>That is no note.</source>
        <translation>Ce n’est pas une note.</translation>
    </message>
    <message>
        <source>The files of the assistants are larger than {most_file_bytes} MB together.</source>
        <translation>Les fichiers des assistants dépassent ensemble {most_file_bytes}&#xa0;Mo.</translation>
    </message>
    <message>
        <source>The prompts are unchanged.</source>
        <translation>Les prompts sont inchangés.</translation>
    </message>
    <message>
        <source>Take large files out of the assistants, and attach them to a message instead.</source>
        <translation>Retirez les grands fichiers des assistants, et joignez-les plutôt à un message.</translation>
    </message>
    <message>
        <source>The file could not be read: {strerror}.</source>
        <translation>Le fichier n’a pas pu être lu&#xa0;: {strerror}.</translation>
    </message>
    <message>
        <source>The file is larger than {largest_file_bytes} MB.</source>
        <translation>Le fichier dépasse {largest_file_bytes}&#xa0;Mo.</translation>
    </message>
    <message>
        <source>The file is no JSON.</source>
        <translation>Le fichier n’est pas du JSON.</translation>
    </message>
    <message>
        <source>The file contains no prompts of ChatDesk.</source>
        <translation>Le fichier ne contient pas de prompts de ChatDesk.</translation>
    </message>
    <message>
        <source>The file contains no list of prompts, or more than {most_prompts}.</source>
        <translation>Le fichier ne contient pas de liste de prompts, ou plus de {most_prompts}.</translation>
    </message>
    <message>
        <source>The file was written by a newer ChatDesk.</source>
        <translation>Le fichier a été écrit par un ChatDesk plus récent.</translation>
    </message>
    <message>
        <source>Prompt {number} in the file is not one: it needs a kind, a name and a text that is not too long.</source>
        <translation>Le prompt {number} du fichier n’en est pas un&#xa0;: il lui faut un type, un nom et un texte pas trop long.</translation>
    </message>
    <message>
        <source>Prompt {number} in the file has no list of files, or too many.</source>
        <translation>Le prompt {number} du fichier n’a pas de liste de fichiers, ou en a trop.</translation>
    </message>
    <message>
        <source>A file of prompt {number} in the file cannot be read.</source>
        <translation>Un fichier du prompt {number} du fichier ne peut pas être lu.</translation>
    </message>
    <message>
        <source>Nothing was added.</source>
        <translation>Rien n’a été ajouté.</translation>
    </message>
    <message>
        <source>Choose a file that was exported from Prompts.</source>
        <translation>Choisissez un fichier exporté depuis Prompts.</translation>
    </message>
    <message>
        <source>A prompt needs a text.</source>
        <translation>Un prompt doit contenir un texte.</translation>
    </message>
    <message>
        <source>Type what it is to say, or delete it.</source>
        <translation>Saisissez ce qu’il doit dire, ou supprimez-le.</translation>
    </message>
    <message>
        <source>The prompt has {text} characters; the most is {longest_text}.</source>
        <translation>Le prompt compte {text} caractères&#xa0;; le maximum est de {longest_text}.</translation>
    </message>
    <message>
        <source>Shorten it, or keep the text in a file and attach that.</source>
        <translation>Raccourcissez-le, ou gardez le texte dans un fichier et joignez-le.</translation>
    </message>
    <message>
        <source>Your limit of messages is reached.</source>
        <translation>Votre limite de messages est atteinte.</translation>
    </message>
    <message>
        <source>Your limit of messages to this provider is reached.</source>
        <translation>Votre limite de messages à ce fournisseur est atteinte.</translation>
    </message>
    <message>
        <source>Your limit of messages in this project is reached.</source>
        <translation>Votre limite de messages dans ce projet est atteinte.</translation>
    </message>
    <message>
        <source>The provider takes no more requests for now.</source>
        <translation>Le fournisseur n’accepte plus de requêtes pour le moment.</translation>
    </message>
    <message>
        <source>Ask again later.</source>
        <translation>Réessayez plus tard.</translation>
    </message>
    <message>
        <source>This message is no longer waiting.</source>
        <translation>Ce message n’est plus en attente.</translation>
    </message>
    <message>
        <source>Between 2 and {most_in_thread} models can be compared.</source>
        <translation>On peut comparer de 2 à {most_in_thread} modèles.</translation>
    </message>
    <message>
        <source>Only questions can be edited here.</source>
        <translation>Seules les questions peuvent être modifiées ici.</translation>
    </message>
    <message>
        <source>Regenerate the answer instead.</source>
        <translation>Régénérez plutôt la réponse.</translation>
    </message>
    <message>
        <source>There is no question to answer here.</source>
        <translation>Il n’y a pas de question à laquelle répondre ici.</translation>
    </message>
    <message>
        <source>This answer is already complete.</source>
        <translation>Cette réponse est déjà complète.</translation>
    </message>
    <message>
        <source>Regenerate it for another version.</source>
        <translation>Régénérez-la pour une autre version.</translation>
    </message>
    <message>
        <source>The system prompt has {text} characters; the most is {longest_text}.</source>
        <translation>Le prompt système compte {text} caractères&#xa0;; le maximum est de {longest_text}.</translation>
    </message>
    <message>
        <source>Shorten it.</source>
        <translation>Raccourcissez-le.</translation>
    </message>
    <message>
        <source>There is a temporary chat already.</source>
        <translation>Il y a déjà une discussion temporaire.</translation>
    </message>
    <message>
        <source>Keep it or close it first.</source>
        <translation>Gardez-la ou fermez-la d’abord.</translation>
    </message>
    <message>
        <source>There is no temporary chat.</source>
        <translation>Il n’y a pas de discussion temporaire.</translation>
    </message>
    <message>
        <source>This chat was just kept.</source>
        <translation>Cette discussion vient d’être gardée.</translation>
    </message>
    <message>
        <source>What you wrote is still there.</source>
        <translation>Ce que vous avez écrit est toujours là.</translation>
    </message>
    <message>
        <source>An answer is still being written, so this chat was not kept yet.</source>
        <translation>Une réponse est encore en cours d’écriture, cette discussion n’a donc pas encore été gardée.</translation>
    </message>
    <message>
        <source>Wait for its end, or stop it, and keep the chat then.</source>
        <translation>Attendez sa fin, ou arrêtez-la, puis gardez la discussion.</translation>
    </message>
    <message>
        <source>The tool does not take these arguments.</source>
        <translation>L’outil n’accepte pas ces arguments.</translation>
    </message>
    <message>
        <source>Nothing was run.</source>
        <translation>Rien n’a été exécuté.</translation>
    </message>
    <message>
        <source>Change them, or deny the call.</source>
        <translation>Changez-les, ou refusez l’appel.</translation>
    </message>
    <message>
        <source>This call is no longer waiting for an answer.</source>
        <translation>Cet appel n’attend plus de réponse.</translation>
    </message>
    <message>
        <source>The server is no longer waiting for this.</source>
        <translation>Le serveur n’attend plus cela.</translation>
    </message>
    <message>
        <source>This answer is not offered for this call.</source>
        <translation>Cette réponse n’est pas proposée pour cet appel.</translation>
    </message>
    <message>
        <source>“{name}” is missing.</source>
        <translation>«&#xa0;{name}&#xa0;» manque.</translation>
    </message>
    <message>
        <source>There is no “{name}”.</source>
        <translation>Il n’y a pas de «&#xa0;{name}&#xa0;».</translation>
    </message>
    <message>
        <source>“{name}” is not of the type {map}.</source>
        <translation>«&#xa0;{name}&#xa0;» n’est pas du type {map}.</translation>
    </message>
    <message>
        <source>The person did not allow this call. Do not try it again in another way; go on without it, or ask them.</source>
        <translation>L’utilisateur n’a pas autorisé cet appel. Ne le retentez pas autrement&#xa0;; continuez sans lui, ou demandez à l’utilisateur.</translation>
    </message>
    <message>
        <source>There is no tool with this name.</source>
        <translation>Il n’y a pas d’outil de ce nom.</translation>
    </message>
    <message>
        <source>The arguments are not valid JSON, so the tool was not run. Write them again.</source>
        <translation>Les arguments ne sont pas du JSON valide, l’outil n’a donc pas été exécuté. Écrivez-les à nouveau.</translation>
    </message>
    <message>
        <source>No arguments came with this call, so the tool was not run. Write them again.</source>
        <translation>Cet appel ne contenait aucun argument, l’outil n’a donc pas été exécuté. Écrivez-les à nouveau.</translation>
    </message>
    <message>
        <source>The answer was cut off while this call was written, so the tool was not run.</source>
        <translation>La réponse a été coupée pendant l’écriture de cet appel, l’outil n’a donc pas été exécuté.</translation>
    </message>
    <message>
        <source>The limit of this answer was reached, so the tool was not run.</source>
        <translation>La limite de cette réponse était atteinte, l’outil n’a donc pas été exécuté.</translation>
    </message>
    <message>
        <source>Too many tools were called at once, so this one was not run. Call fewer.</source>
        <translation>Trop d’outils ont été appelés à la fois, celui-ci n’a donc pas été exécuté. Appelez-en moins.</translation>
    </message>
    <message>
        <source>“{tool}” is left out of this answer: {provider} refuses its description.</source>
        <translation>«&#xa0;{tool}&#xa0;» est exclu de cette réponse&#xa0;: {provider} refuse sa description.</translation>
    </message>
    <message>
        <source>No further tools can be called for this answer. Answer with what you have.</source>
        <translation>Plus aucun outil ne peut être appelé pour cette réponse. Répondez avec ce que vous avez.</translation>
    </message>
    <message>
        <source>“{tool}” is left out: its arguments are described in a form that no request can have.</source>
        <translation>«&#xa0;{tool}&#xa0;» est exclu&#xa0;: ses arguments sont décrits sous une forme qu’aucune requête ne peut avoir.</translation>
    </message>
    <message>
        <source>Something unexpected happened in ChatDesk while this tool ran. Nobody knows what it did.</source>
        <translation>Quelque chose d’inattendu s’est produit dans ChatDesk pendant l’exécution de cet outil. Personne ne sait ce qu’il a fait.</translation>
    </message>
    <message>
        <source>ChatDesk ended while this ran, so nobody knows what it did. The person does not want it to be run again.</source>
        <translation>ChatDesk s’est arrêté pendant cette exécution, personne ne sait donc ce qu’elle a fait. L’utilisateur ne veut pas qu’elle soit relancée.</translation>
    </message>
    <message>
        <source>ChatDesk ended while this ran. It may have done its work already.</source>
        <translation>ChatDesk s’est arrêté pendant cette exécution. Elle a peut-être déjà fait son travail.</translation>
    </message>
    <message>
        <source>This thread has text from outside, such as a tool&apos;s result, a file, an import or a teammate&apos;s words, which may have asked for this.</source>
        <translation>Cette conversation contient du texte venu de l’extérieur, comme le résultat d’un outil, un fichier, un import ou les propos d’un membre de l’équipe, qui a pu demander cela.</translation>
    </message>
    <message numerus="yes">
        <source>{count} tools can be called: about {tokens} tokens with each request.</source>
        <comment>{count} tool can be called: about {tokens} tokens with each request.</comment>
        <translation>
            <numerusform>{count} outil peut être appelé&#xa0;: environ {tokens} tokens à chaque requête.</numerusform>
            <numerusform>{count} outils peuvent être appelés&#xa0;: environ {tokens} tokens à chaque requête.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{words} {count} tool servers not started yet.</source>
        <comment>{words} {count} tool server not started yet.</comment>
        <translation>
            <numerusform>{words} {count} serveur d’outils pas encore démarré.</numerusform>
            <numerusform>{words} {count} serveurs d’outils pas encore démarrés.</numerusform>
        </translation>
    </message>
    <message>
        <source>pin into the context</source>
        <translation>fixer dans le contexte</translation>
    </message>
    <message>
        <source>exclude from the context</source>
        <translation>exclure du contexte</translation>
    </message>
    <message>
        <source>unpin from the context</source>
        <translation>ne plus fixer dans le contexte</translation>
    </message>
    <message>
        <source>include in the context</source>
        <translation>inclure dans le contexte</translation>
    </message>
    <message>
        <source>pin the passage</source>
        <translation>fixer le passage</translation>
    </message>
    <message>
        <source>leave out the passage</source>
        <translation>laisser le passage de côté</translation>
    </message>
    <message>
        <source>unpin the passage</source>
        <translation>ne plus fixer le passage</translation>
    </message>
    <message>
        <source>no longer leave out the passage</source>
        <translation>ne plus laisser le passage de côté</translation>
    </message>
    <message>
        <source>rename thread</source>
        <translation>renommer la conversation</translation>
    </message>
    <message numerus="yes">
        <source>delete messages</source>
        <comment>delete message</comment>
        <translation>
            <numerusform>supprimer le message</numerusform>
            <numerusform>supprimer des messages</numerusform>
        </translation>
    </message>
    <message>
        <source>restore message</source>
        <translation>restaurer le message</translation>
    </message>
    <message>
        <source>switch version</source>
        <translation>changer de version</translation>
    </message>
    <message>
        <source>edit</source>
        <translation>modification</translation>
    </message>
    <message>
        <source>start of the context</source>
        <translation>début du contexte</translation>
    </message>
    <message>
        <source>add note</source>
        <translation>ajouter une note</translation>
    </message>
    <message>
        <source>ask a question</source>
        <translation>poser une question</translation>
    </message>
    <message>
        <source>ask for an answer</source>
        <translation>demander une réponse</translation>
    </message>
    <message>
        <source>The message has about {scaled} tokens; the model reads {window} at once and {reserved} of them are kept for the answer.</source>
        <translation>Le message fait environ {scaled} tokens&#xa0;; le modèle en lit {window} en une fois et {reserved} sont réservés à la réponse.</translation>
    </message>
    <message>
        <source>The system prompt has about {scaled} tokens and leaves no room for the message: the model reads {window} at once and {reserved} of them are kept for the answer.</source>
        <translation>Le prompt système fait environ {scaled} tokens et ne laisse pas de place au message&#xa0;: le modèle en lit {window} en une fois et {reserved} sont réservés à la réponse.</translation>
    </message>
    <message>
        <source>ChatDesk made a mistake while it summarised.</source>
        <translation>Une erreur interne s’est produite dans ChatDesk pendant le résumé.</translation>
    </message>
    <message>
        <source>The report could not be written to {target}: {reason}.</source>
        <translation>Le rapport n’a pas pu être écrit dans {target}&#xa0;: {reason}.</translation>
    </message>
    <message>
        <source>Nothing half-written was left.</source>
        <translation>Aucun fichier incomplet n’a été laissé.</translation>
    </message>
    <message>
        <source>ChatDesk ended unexpectedly.</source>
        <translation>ChatDesk s’est arrêté de façon inattendue.</translation>
    </message>
    <message>
        <source>note</source>
        <comment>finding</comment>
        <translation>remarque</translation>
    </message>
    <message>
        <source>problem</source>
        <translation>problème</translation>
    </message>
    <message>
        <source>No answer within {timeout_s} s.</source>
        <translation>Pas de réponse en {timeout_s}&#xa0;s.</translation>
    </message>
    <message>
        <source>The check itself failed ({name}).</source>
        <translation>La vérification elle-même a échoué ({name}).</translation>
    </message>
    <message>
        <source>versions</source>
        <translation>versions</translation>
    </message>
    <message>
        <source>ChatDesk {version}, Python {python}</source>
        <translation>ChatDesk {version}, Python {python}</translation>
    </message>
    <message>
        <source>data directory</source>
        <translation>dossier de données</translation>
    </message>
    <message>
        <source>settings directory</source>
        <translation>dossier des paramètres</translation>
    </message>
    <message>
        <source>logs directory</source>
        <translation>dossier des journaux</translation>
    </message>
    <message>
        <source>backups directory</source>
        <translation>dossier des sauvegardes</translation>
    </message>
    <message>
        <source>{path} is not a directory.</source>
        <translation>{path} n’est pas un dossier.</translation>
    </message>
    <message>
        <source>{path} (made when it is needed)</source>
        <translation>{path} (créé au besoin)</translation>
    </message>
    <message>
        <source>{path} cannot be written to. Check its owner and permissions.</source>
        <translation>Impossible d’écrire dans {path}. Vérifiez son propriétaire et ses droits.</translation>
    </message>
    <message>
        <source>Others can look into {path}. Run: chmod 700 {path}</source>
        <translation>D’autres utilisateurs peuvent voir le contenu de {path}. Exécutez&#xa0;: chmod 700 {path}</translation>
    </message>
    <message>
        <source>Only {free_bytes} MB are free. Free some space soon.</source>
        <translation>Il ne reste que {free_bytes}&#xa0;Mo libres. Libérez bientôt de la place.</translation>
    </message>
    <message>
        <source>{free_bytes} MB free</source>
        <translation>{free_bytes}&#xa0;Mo libres</translation>
    </message>
    <message>
        <source>disk</source>
        <translation>disque</translation>
    </message>
    <message>
        <source>PySide6 is not installed, so there can be no window.</source>
        <translation>PySide6 n’est pas installé, il ne peut donc pas y avoir de fenêtre.</translation>
    </message>
    <message>
        <source>display</source>
        <translation>affichage</translation>
    </message>
    <message>
        <source>the system&apos;s</source>
        <translation>celui du système</translation>
    </message>
    <message>
        <source>No display here: the window runs unseen, the command line works.</source>
        <translation>Pas d’affichage ici&#xa0;: la fenêtre tourne sans être vue, la ligne de commande fonctionne.</translation>
    </message>
    <message numerus="yes">
        <source>Written since, and not in it: {count} messages, in {names}. Export them first to keep them at hand.</source>
        <comment>Written since, and not in it: {count} message, in {names}. Export them first to keep them at hand.</comment>
        <translation>
            <numerusform>Écrit depuis, et absent de celle-ci&#xa0;: {count} message, dans {names}. Exportez-le d’abord pour le garder sous la main.</numerusform>
            <numerusform>Écrits depuis, et absents de celle-ci&#xa0;: {count} messages, dans {names}. Exportez-les d’abord pour les garder sous la main.</numerusform>
        </translation>
    </message>
    <message>
        <source>From an older ChatDesk (schema {schema}); it is upgraded at the next start.</source>
        <translation>Vient d’un ChatDesk plus ancien (schéma {schema})&#xa0;; elle sera mise à niveau au prochain démarrage.</translation>
    </message>
    <message numerus="yes">
        <source>{count} attached files are neither in it nor in the data directory.</source>
        <comment>{count} attached file is neither in it nor in the data directory.</comment>
        <translation>
            <numerusform>{count} fichier joint n’est ni dans celle-ci ni dans le dossier de données.</numerusform>
            <numerusform>{count} fichiers joints ne sont ni dans celle-ci ni dans le dossier de données.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} answers had not ended: they stay as interrupted, and nothing is sent.</source>
        <comment>{count} answer had not ended: they stay as interrupted, and nothing is sent.</comment>
        <translation>
            <numerusform>{count} réponse n’était pas terminée&#xa0;: elle reste interrompue, et rien n’est envoyé.</numerusform>
            <numerusform>{count} réponses n’étaient pas terminées&#xa0;: elles restent interrompues, et rien n’est envoyé.</numerusform>
        </translation>
    </message>
    <message>
        <source>others</source>
        <translation>d’autres</translation>
    </message>
    <message>
        <source>Teams: {names}. ChatDesk does not connect to them until you join them again.</source>
        <translation>Équipes&#xa0;: {names}. ChatDesk ne s’y connecte pas avant que vous les rejoigniez à nouveau.</translation>
    </message>
    <message>
        <source>Afterwards search fills up again in the background.</source>
        <translation>Ensuite, l’index de recherche se reconstruit en arrière-plan.</translation>
    </message>
    <message>
        <source>Exported {threads} to {name}.</source>
        <translation>Export terminé&#xa0;: {threads} dans {name}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} attachments are missing or damaged; the export has only their names: {lost}</source>
        <comment>{count} attachment is missing or damaged; the export has only its name: {lost}</comment>
        <translation>
            <numerusform>{count} pièce jointe manque ou est endommagée&#xa0;; l’export n’en contient que le nom&#xa0;: {lost}</numerusform>
            <numerusform>{count} pièces jointes manquent ou sont endommagées&#xa0;; l’export n’en contient que les noms&#xa0;: {lost}</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} attachments are missing or damaged; the export has only their names</source>
        <comment>{count} attachment is missing or damaged; the export has only its name</comment>
        <translation>
            <numerusform>{count} pièce jointe manque ou est endommagée&#xa0;; l’export n’en contient que le nom</numerusform>
            <numerusform>{count} pièces jointes manquent ou sont endommagées&#xa0;; l’export n’en contient que les noms</numerusform>
        </translation>
    </message>
    <message>
        <source>new</source>
        <comment>thread</comment>
        <translation>nouvelle</translation>
    </message>
    <message>
        <source>has new messages</source>
        <translation>nouveaux messages</translation>
    </message>
    <message>
        <source>here already</source>
        <translation>déjà présente</translation>
    </message>
    <message>
        <source>in the trash</source>
        <translation>dans la corbeille</translation>
    </message>
    <message>
        <source>deleted before</source>
        <translation>supprimée auparavant</translation>
    </message>
    <message>
        <source>{server} without a proxy</source>
        <translation>{server} sans proxy</translation>
    </message>
    <message>
        <source>{server} through the proxy {proxy}</source>
        <translation>{server} par le proxy {proxy}</translation>
    </message>
    <message>
        <source>{server}, trusting a file of certificates ({ca}…)</source>
        <translation>{server}, en se fiant à un fichier de certificats ({ca}…)</translation>
    </message>
    <message>
        <source>Send the key of {short} to {server}?</source>
        <translation>Envoyer la clé de {short} à {server}&#xa0;?</translation>
    </message>
    <message>
        <source>The variable {variable} names the server of {label}, {server}. Only a key from a variable is sent there, never one that is kept.</source>
        <translation>La variable {variable} désigne le serveur de {label}, {server}. Seule une clé venant d’une variable y est envoyée, jamais une clé conservée.</translation>
    </message>
    <message>
        <source>The key of {label} would travel unencrypted to {words}: anybody on the way could read it.</source>
        <translation>La clé de {label} circulerait sans chiffrement vers {words}&#xa0;: n’importe qui sur le trajet pourrait la lire.</translation>
    </message>
    <message>
        <source>The key of {label} was kept by an earlier ChatDesk, which did not note the server that it is for. It would be sent to {words}.</source>
        <translation>La clé de {label} a été conservée par un ChatDesk antérieur, qui n’a pas noté le serveur auquel elle est destinée. Elle serait envoyée à {words}.</translation>
    </message>
    <message>
        <source>The key of {label} was given for {words}. It would be sent to {wanted}.</source>
        <translation>La clé de {label} a été donnée pour {words}. Elle serait envoyée à {wanted}.</translation>
    </message>
    <message>
        <source>It would travel unencrypted.</source>
        <translation>Elle circulerait sans chiffrement.</translation>
    </message>
    <message>
        <source>Put the key for that server into OPENAI_API_KEY, or remove the variable.</source>
        <translation>Mettez la clé de ce serveur dans OPENAI_API_KEY, ou retirez la variable.</translation>
    </message>
    <message>
        <source>If that is what you want, agree in Settings, Providers, or with &apos;chatdesk providers --agree {provider}&apos;.</source>
        <translation>Si c’est ce que vous voulez, acceptez dans Paramètres, Fournisseurs, ou avec «&#xa0;chatdesk providers --agree {provider}&#xa0;».</translation>
    </message>
    <message>
        <source>Agree, or enter the key again.</source>
        <translation>Acceptez, ou saisissez à nouveau la clé.</translation>
    </message>
    <message>
        <source>it must look like 20/min, with s, min, h or day after the stroke</source>
        <translation>la forme attendue est 20/min, avec s, min, h ou day après la barre oblique</translation>
    </message>
    <message>
        <source>“{unit}” is no period; use s, min, h or day</source>
        <translation>«&#xa0;{unit}&#xa0;» n’est pas une durée&#xa0;; utilisez s, min, h ou day</translation>
    </message>
    <message>
        <source>the number of messages must be from 1 to {most_messages}</source>
        <translation>le nombre de messages doit être compris entre 1 et {most_messages}</translation>
    </message>
    <message>
        <source>the period must be from a second to 30 days</source>
        <translation>la durée doit être comprise entre une seconde et 30 jours</translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens</source>
        <comment>{count} token</comment>
        <translation>
            <numerusform>{count} token</numerusform>
            <numerusform>{count} tokens</numerusform>
        </translation>
    </message>
    <message>
        <source>a day</source>
        <translation>par jour</translation>
    </message>
    <message>
        <source>a month</source>
        <translation>par mois</translation>
    </message>
    <message>
        <source>{period} for {label}</source>
        <translation>{period} pour {label}</translation>
    </message>
    <message>
        <source>Your messages are kept, and the newest ones are sent as they fit.</source>
        <translation>Vos messages sont conservés, et les plus récents sont envoyés dans la limite de la place disponible.</translation>
    </message>
    <message>
        <source>Summaries and titles are made again tomorrow; the limit is in Settings, Context.</source>
        <translation>Les résumés et les titres reprendront demain&#xa0;; la limite se règle dans Paramètres, Contexte.</translation>
    </message>
    <message>
        <source>Today&apos;s limit of {limit} tokens for summaries and titles is reached ({spent} are used).</source>
        <translation>La limite quotidienne de {limit} tokens pour les résumés et les titres est atteinte ({spent} utilisés).</translation>
    </message>
    <message>
        <source>Titles and summaries stop at {limit} ({spent} are used).</source>
        <translation>Les titres et les résumés s’arrêtent à {limit} ({spent} utilisés).</translation>
    </message>
    <message>
        <source>They are made again when the limit starts again; it is in Settings, Usage and limits.</source>
        <translation>Ils reprendront quand la limite repartira de zéro&#xa0;; elle se règle dans Paramètres, Utilisation et limites.</translation>
    </message>
    <message>
        <source>Your question is kept.</source>
        <translation>Votre question est conservée.</translation>
    </message>
    <message>
        <source>waiting for an answer</source>
        <translation>attend une réponse</translation>
    </message>
    <message>
        <source>This answer has not begun.</source>
        <translation>Cette réponse n’a pas commencé.</translation>
    </message>
    <message>
        <source>This answer is still being written.</source>
        <translation>Cette réponse est encore en cours d’écriture.</translation>
    </message>
    <message>
        <source>This answer was stopped.</source>
        <translation>Cette réponse a été arrêtée.</translation>
    </message>
    <message>
        <source>This answer was interrupted.</source>
        <translation>Cette réponse a été interrompue.</translation>
    </message>
    <message>
        <source>This answer failed.</source>
        <translation>Cette réponse a échoué.</translation>
    </message>
    <message>
        <source>A part of this message is damaged. What can be read of it is shown; a backup may have it whole.</source>
        <translation>Une partie de ce message est endommagée. Ce qui est lisible est affiché&#xa0;; une sauvegarde le contient peut-être en entier.</translation>
    </message>
    <message>
        <source>being written</source>
        <translation>en cours d’écriture</translation>
    </message>
    <message>
        <source>stopped</source>
        <translation>arrêtée</translation>
    </message>
    <message>
        <source>interrupted</source>
        <translation>interrompue</translation>
    </message>
    <message>
        <source>{name} must be a number.</source>
        <translation>{name} doit être un nombre.</translation>
    </message>
    <message>
        <source>{name} must be between 0 and {most}.</source>
        <translation>{name} doit être compris entre 0 et {most}.</translation>
    </message>
    <message>
        <source>The length of an answer must be between 1 and {largest_answer} tokens.</source>
        <translation>La longueur d’une réponse doit être comprise entre 1 et {largest_answer} tokens.</translation>
    </message>
    <message>
        <source>The reasoning effort must be one of {reasoning_efforts}.</source>
        <translation>L’effort de raisonnement doit avoir l’une de ces valeurs&#xa0;: {reasoning_efforts}.</translation>
    </message>
    <message>
        <source>There may be at most {most_stop_words} stop words.</source>
        <translation>Il peut y avoir au plus {most_stop_words} mots d’arrêt.</translation>
    </message>
    <message>
        <source>A stop word has 1 to {longest_stop_word} characters.</source>
        <translation>Un mot d’arrêt compte de 1 à {longest_stop_word} caractères.</translation>
    </message>
    <message>
        <source>The temperature</source>
        <translation>La température</translation>
    </message>
    <message>
        <source>Top-p</source>
        <translation>Top-p</translation>
    </message>
    <message>
        <source>An assistant has at most {most_in_message} files.</source>
        <translation>Un assistant contient au plus {most_in_message} fichiers.</translation>
    </message>
    <message>
        <source>Leave some of them out.</source>
        <translation>Retirez-en quelques-uns.</translation>
    </message>
    <message>
        <source>The provider&apos;s id may have small letters, digits and hyphens only.</source>
        <translation>L’identifiant du fournisseur ne peut contenir que des minuscules, des chiffres et des traits d’union.</translation>
    </message>
    <message>
        <source>Give the provider a name.</source>
        <translation>Donnez un nom au fournisseur.</translation>
    </message>
    <message>
        <source>The address must begin with https:// or http://, name a server and hold no password.</source>
        <translation>L’adresse doit commencer par https:// ou http://, indiquer un serveur et ne contenir aucun mot de passe.</translation>
    </message>
    <message>
        <source>“{name}” is not the name of a header.</source>
        <translation>«&#xa0;{name}&#xa0;» n’est pas un nom d’en-tête.</translation>
    </message>
    <message>
        <source>The value of the header {name} contains characters that cannot be sent.</source>
        <translation>La valeur de l’en-tête {name} contient des caractères qui ne peuvent pas être envoyés.</translation>
    </message>
    <message>
        <source>The proxy must be an address such as http://proxy.example:3128, without a password. One that wants a password is set with the variable HTTPS_PROXY.</source>
        <translation>Le proxy doit être une adresse comme http://proxy.example:3128, sans mot de passe. Un proxy qui exige un mot de passe se définit avec la variable HTTPS_PROXY.</translation>
    </message>
    <message>
        <source>The organisation and the project hold characters that cannot be sent.</source>
        <translation>L’organisation et le projet contiennent des caractères qui ne peuvent pas être envoyés.</translation>
    </message>
    <message>
        <source>Times must be between 1 and 3,600 seconds.</source>
        <translation>Les durées doivent être comprises entre 1 et 3&#xa0;600 secondes.</translation>
    </message>
    <message>
        <source>Nothing was sent; your text stays where it is.</source>
        <translation>Rien n’a été envoyé&#xa0;; votre texte reste là où il est.</translation>
    </message>
    <message>
        <source>{name} chose {label} for this thread. You asked {before} here until now; your question, and the thread with it, would go to {label}.</source>
        <translation>{name} a choisi {label} pour cette conversation. Vous y interrogiez {before} jusqu’ici&#xa0;; votre question, avec toute la conversation, serait envoyée à {label}.</translation>
    </message>
    <message>
        <source>{name} chose {label} for this thread. Your own choice is {before}; your question, and the thread with it, would go to {label}.</source>
        <translation>{name} a choisi {label} pour cette conversation. Votre propre choix est {before}&#xa0;; votre question, avec toute la conversation, serait envoyée à {label}.</translation>
    </message>
    <message>
        <source>Choose a model yourself, or name the provider: --provider {name}.</source>
        <translation>Choisissez vous-même un modèle, ou indiquez le fournisseur&#xa0;: --provider {name}.</translation>
    </message>
    <message>
        <source>Ask {label}?</source>
        <translation>Interroger {label}&#xa0;?</translation>
    </message>
    <message>
        <source>Since {since}, changes of “{project}” are missing on the team&apos;s server.</source>
        <translation>Depuis le {since}, des modifications de «&#xa0;{project}&#xa0;» manquent sur le serveur de l’équipe.</translation>
    </message>
    <message>
        <source>Since {since}, the team&apos;s server has other changes of “{project}” than it took.</source>
        <translation>Depuis le {since}, le serveur de l’équipe a d’autres modifications de «&#xa0;{project}&#xa0;» que celles qu’il a acceptées.</translation>
    </message>
    <message>
        <source>Since {since}, changes of “{project}” are emptied on the team&apos;s server, and nobody asked for that.</source>
        <translation>Depuis le {since}, des modifications de «&#xa0;{project}&#xa0;» sont vides sur le serveur de l’équipe, sans que personne l’ait demandé.</translation>
    </message>
    <message>
        <source>Since {since}, the team&apos;s server does not send all changes of “{project}” that it has.</source>
        <translation>Depuis le {since}, le serveur de l’équipe n’envoie pas toutes les modifications de «&#xa0;{project}&#xa0;» qu’il possède.</translation>
    </message>
    <message>
        <source>It is no longer shared.</source>
        <translation>Il n’est plus partagé.</translation>
    </message>
    <message>
        <source>You left it.</source>
        <translation>Vous l’avez quitté.</translation>
    </message>
    <message>
        <source>You were removed from it.</source>
        <translation>Vous en avez été retiré.</translation>
    </message>
    <message>
        <source>It was deleted from the team by its owner.</source>
        <translation>Il a été supprimé de l’équipe par son propriétaire.</translation>
    </message>
    <message>
        <source>It was erased for everybody by its owner.</source>
        <translation>Il a été effacé pour tous par son propriétaire.</translation>
    </message>
    <message>
        <source>“{name}” is no longer shared.</source>
        <translation>«&#xa0;{name}&#xa0;» n’est plus partagé.</translation>
    </message>
    <message>
        <source>You left “{name}”.</source>
        <translation>Vous avez quitté «&#xa0;{name}&#xa0;».</translation>
    </message>
    <message>
        <source>You were removed from “{name}”.</source>
        <translation>Vous avez été retiré de «&#xa0;{name}&#xa0;».</translation>
    </message>
    <message>
        <source>“{name}” was deleted from the team by its owner.</source>
        <translation>«&#xa0;{name}&#xa0;» a été supprimé de l’équipe par son propriétaire.</translation>
    </message>
    <message>
        <source>“{name}” was erased for everybody by its owner.</source>
        <translation>«&#xa0;{name}&#xa0;» a été effacé pour tous par son propriétaire.</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes wait here to be sent.</source>
        <comment>{count} change waits here to be sent.</comment>
        <translation>
            <numerusform>{count} modification attend ici d’être envoyée.</numerusform>
            <numerusform>{count} modifications attendent ici d’être envoyées.</numerusform>
        </translation>
    </message>
    <message>
        <source>Waiting for approval</source>
        <translation>En attente de votre accord</translation>
    </message>
    <message>
        <source>Running</source>
        <translation>En cours</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>Terminé</translation>
    </message>
    <message>
        <source>Denied</source>
        <translation>Refusé</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>Échec</translation>
    </message>
    <message>
        <source>Unknown: ChatDesk ended while it ran</source>
        <translation>Inconnu&#xa0;: ChatDesk s’est arrêté pendant l’exécution</translation>
    </message>
    <message>
        <source>It asks you to sign in: choose Sign in in Settings, Tools.</source>
        <translation>Il vous demande de vous connecter&#xa0;: choisissez Se connecter dans Paramètres, Outils.</translation>
    </message>
    <message>
        <source>“{tool}” is left out: its description is not what the protocol allows.</source>
        <translation>«&#xa0;{tool}&#xa0;» est exclu&#xa0;: sa description n’est pas conforme au protocole.</translation>
    </message>
    <message>
        <source>“{tool}” is left out: its name or its description is too long.</source>
        <translation>«&#xa0;{tool}&#xa0;» est exclu&#xa0;: son nom ou sa description est trop long.</translation>
    </message>
    <message>
        <source>“{tool}” is listed twice; the second one is left out.</source>
        <translation>«&#xa0;{tool}&#xa0;» figure deux fois&#xa0;; le second est exclu.</translation>
    </message>
    <message>
        <source>Not all of its tools are offered: it lists too many.</source>
        <translation>Seule une partie de ses outils est proposée&#xa0;: il en annonce trop.</translation>
    </message>
    <message>
        <source>Its list may be incomplete: it names the same page again and again.</source>
        <translation>Sa liste est peut-être incomplète&#xa0;: il renvoie sans cesse à la même page.</translation>
    </message>
    <message>
        <source>The tool failed.</source>
        <translation>L’outil a échoué.</translation>
    </message>
    <message>
        <source>Your messages are kept.</source>
        <translation>Vos messages sont conservés.</translation>
    </message>
    <message>
        <source>Try again, or test the server in Settings, Tools.</source>
        <translation>Réessayez, ou testez le serveur dans Paramètres, Outils.</translation>
    </message>
    <message>
        <source>Type a number of tokens, such as 32000 or 128k.</source>
        <translation>Saisissez un nombre de tokens, par exemple 32000 ou 128k.</translation>
    </message>
    <message>
        <source>The context is between {smallest_window} and {largest_window} tokens.</source>
        <translation>Le contexte doit être compris entre {smallest_window} et {largest_window} tokens.</translation>
    </message>
    <message>
        <source>Type dollars for a million tokens, such as 0.25.</source>
        <translation>Saisissez un prix en dollars par million de tokens, par exemple 0.25.</translation>
    </message>
    <message>
        <source>Something went wrong.</source>
        <translation>Un problème est survenu.</translation>
    </message>
    <message>
        <source>Try again.</source>
        <translation>Réessayez.</translation>
    </message>
    <message>
        <source>That is not a valid id.</source>
        <translation>Ce n’est pas un identifiant valide.</translation>
    </message>
    <message>
        <source>Check the id; it looks like 0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e.</source>
        <translation>Vérifiez l’identifiant&#xa0;; il ressemble à 0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e.</translation>
    </message>
    <message>
        <source>The message is empty.</source>
        <translation>Le message est vide.</translation>
    </message>
    <message>
        <source>Type something first.</source>
        <translation>Écrivez d’abord quelque chose.</translation>
    </message>
    <message>
        <source>The message is larger than the limit.</source>
        <translation>Le message dépasse la limite.</translation>
    </message>
    <message>
        <source>Your text is kept in the composer.</source>
        <translation>Votre texte reste dans la zone de saisie.</translation>
    </message>
    <message>
        <source>Shorten it, or attach it as a file.</source>
        <translation>Raccourcissez-le, ou joignez-le comme fichier.</translation>
    </message>
    <message>
        <source>The file is larger than the limit.</source>
        <translation>Le fichier dépasse la limite.</translation>
    </message>
    <message>
        <source>Attach a smaller file or a part of it, or raise the limit in the settings.</source>
        <translation>Joignez un fichier plus petit ou une partie de celui-ci, ou relevez la limite dans les paramètres.</translation>
    </message>
    <message>
        <source>“{name}” is larger than {limit}.</source>
        <translation>«&#xa0;{name}&#xa0;» dépasse {limit}.</translation>
    </message>
    <message>
        <source>The file is larger than {limit}.</source>
        <translation>Le fichier dépasse {limit}.</translation>
    </message>
    <message>
        <source>The file cannot be attached.</source>
        <translation>Le fichier ne peut pas être joint.</translation>
    </message>
    <message>
        <source>Choose another file.</source>
        <translation>Choisissez un autre fichier.</translation>
    </message>
    <message>
        <source>This file cannot be imported.</source>
        <translation>Ce fichier ne peut pas être importé.</translation>
    </message>
    <message>
        <source>A thread needs a title.</source>
        <translation>Une conversation doit avoir un titre.</translation>
    </message>
    <message>
        <source>The old title is kept.</source>
        <translation>L’ancien titre est conservé.</translation>
    </message>
    <message>
        <source>Type at least one character.</source>
        <translation>Saisissez au moins un caractère.</translation>
    </message>
    <message>
        <source>It may have been deleted for good; look in the list.</source>
        <translation>Elle a peut-être été supprimée définitivement&#xa0;; consultez la liste.</translation>
    </message>
    <message>
        <source>There is no thread with that id.</source>
        <translation>Aucune conversation n’a cet identifiant.</translation>
    </message>
    <message>
        <source>There is no message with that id.</source>
        <translation>Aucun message n’a cet identifiant.</translation>
    </message>
    <message>
        <source>The message to answer to does not exist in this thread.</source>
        <translation>Le message auquel répondre n’existe pas dans cette conversation.</translation>
    </message>
    <message>
        <source>There is no project with that id.</source>
        <translation>Aucun projet n’a cet identifiant.</translation>
    </message>
    <message>
        <source>There is no summary with that id.</source>
        <translation>Aucun résumé n’a cet identifiant.</translation>
    </message>
    <message>
        <source>There is no prompt with that id.</source>
        <translation>Aucun prompt n’a cet identifiant.</translation>
    </message>
    <message>
        <source>The message is larger than what the model can read at once.</source>
        <translation>Le message est plus long que ce que le modèle peut lire en une fois.</translation>
    </message>
    <message>
        <source>Shorten it, attach it as a file, or choose a model with a larger window.</source>
        <translation>Raccourcissez-le, joignez-le comme fichier, ou choisissez un modèle doté d’une plus grande fenêtre.</translation>
    </message>
    <message>
        <source>The system prompt leaves no room for the message.</source>
        <translation>Le prompt système ne laisse pas de place au message.</translation>
    </message>
    <message>
        <source>Shorten the system prompt, or choose a model with a larger window.</source>
        <translation>Raccourcissez le prompt système, ou choisissez un modèle doté d’une plus grande fenêtre.</translation>
    </message>
    <message>
        <source>The question is excluded from the context, so there is nothing to answer.</source>
        <translation>La question est exclue du contexte, il n’y a donc rien à quoi répondre.</translation>
    </message>
    <message>
        <source>Take it back into the context, or ask again.</source>
        <translation>Remettez-la dans le contexte, ou posez-la à nouveau.</translation>
    </message>
    <message>
        <source>Some messages of this summary are gone or no longer shown.</source>
        <translation>Certains messages de ce résumé ont disparu ou ne sont plus affichés.</translation>
    </message>
    <message>
        <source>Nothing was changed; as many of the remaining messages as fit are sent.</source>
        <translation>Rien n’a été modifié&#xa0;; autant de messages restants que possible sont envoyés.</translation>
    </message>
    <message>
        <source>Create the summary again.</source>
        <translation>Recréez le résumé.</translation>
    </message>
    <message>
        <source>The model gave no summary that can be used.</source>
        <translation>Le modèle n’a pas donné de résumé utilisable.</translation>
    </message>
    <message>
        <source>Nothing was changed; as many of the newest messages as fit are sent.</source>
        <translation>Rien n’a été modifié&#xa0;; autant de messages récents que possible sont envoyés.</translation>
    </message>
    <message>
        <source>ChatDesk tries again later.</source>
        <translation>ChatDesk réessaiera plus tard.</translation>
    </message>
    <message>
        <source>Summarising this thread would cost more than the limit.</source>
        <translation>Résumer cette conversation coûterait plus que la limite.</translation>
    </message>
    <message>
        <source>No summary was asked for; as many of the newest messages as fit are sent instead.</source>
        <translation>Aucun résumé n’a été demandé&#xa0;; autant de messages récents que possible sont envoyés à la place.</translation>
    </message>
    <message>
        <source>Allow it, or leave the thread as it is; the limit is in Settings, Usage and limits.</source>
        <translation>Autorisez-le, ou laissez la conversation telle quelle&#xa0;; la limite se règle dans Paramètres, Utilisation et limites.</translation>
    </message>
    <message>
        <source>This thread is in the trash.</source>
        <translation>Cette conversation est dans la corbeille.</translation>
    </message>
    <message>
        <source>Restore it first.</source>
        <translation>Restaurez-la d’abord.</translation>
    </message>
    <message>
        <source>This message is in the trash.</source>
        <translation>Ce message est dans la corbeille.</translation>
    </message>
    <message>
        <source>An answer is still being written in this thread.</source>
        <translation>Une réponse est encore en cours d’écriture dans cette conversation.</translation>
    </message>
    <message>
        <source>Wait for it or stop it first.</source>
        <translation>Attendez-la ou arrêtez-la d’abord.</translation>
    </message>
    <message>
        <source>The database could not be used.</source>
        <translation>La base de données n’a pas pu être utilisée.</translation>
    </message>
    <message>
        <source>Run &apos;chatdesk doctor&apos; for details.</source>
        <translation>Exécutez «&#xa0;chatdesk doctor&#xa0;» pour les détails.</translation>
    </message>
    <message>
        <source>The disk is full, so this could not be saved.</source>
        <translation>Le disque est plein, cela n’a donc pas pu être enregistré.</translation>
    </message>
    <message>
        <source>Everything saved before is unchanged, and your text is still in the window.</source>
        <translation>Tout ce qui était enregistré est inchangé, et votre texte est toujours dans la fenêtre.</translation>
    </message>
    <message>
        <source>Everything saved before is unchanged.</source>
        <translation>Tout ce qui était enregistré est inchangé.</translation>
    </message>
    <message>
        <source>Free some space and try again.</source>
        <translation>Libérez de la place et réessayez.</translation>
    </message>
    <message>
        <source>The answer could not be saved.</source>
        <translation>La réponse n’a pas pu être enregistrée.</translation>
    </message>
    <message>
        <source>What was saved before is unchanged; of the answer only the beginning may be kept.</source>
        <translation>Ce qui était enregistré est inchangé&#xa0;; seul le début de la réponse est peut-être conservé.</translation>
    </message>
    <message>
        <source>Free disk space or correct the permissions so that ChatDesk can save, then ask again.</source>
        <translation>Libérez de la place ou corrigez les droits pour que ChatDesk puisse enregistrer, puis reposez la question.</translation>
    </message>
    <message>
        <source>Another program is using the database.</source>
        <translation>Un autre programme utilise la base de données.</translation>
    </message>
    <message>
        <source>Close the other program or try again in a moment.</source>
        <translation>Fermez l’autre programme ou réessayez dans un instant.</translation>
    </message>
    <message>
        <source>The database cannot be written to.</source>
        <translation>Impossible d’écrire dans la base de données.</translation>
    </message>
    <message>
        <source>You can still read everything.</source>
        <translation>Vous pouvez toujours tout lire.</translation>
    </message>
    <message>
        <source>Check the permissions of the data directory.</source>
        <translation>Vérifiez les droits du dossier de données.</translation>
    </message>
    <message>
        <source>The database file is damaged.</source>
        <translation>Le fichier de la base de données est endommagé.</translation>
    </message>
    <message>
        <source>The file was left as it is; backups are in the backup directory.</source>
        <translation>Le fichier est resté tel quel&#xa0;; les sauvegardes sont dans le dossier des sauvegardes.</translation>
    </message>
    <message>
        <source>Restore the newest backup, or copy out what can be read: &apos;chatdesk doctor --repair&apos;.</source>
        <translation>Restaurez la sauvegarde la plus récente, ou copiez ce qui peut être lu&#xa0;: «&#xa0;chatdesk doctor --repair&#xa0;».</translation>
    </message>
    <message>
        <source>Run &apos;chatdesk doctor --repair&apos;; if that does not help, send the report of &apos;chatdesk doctor&apos;.</source>
        <translation>Lancez «&#xa0;chatdesk doctor --repair&#xa0;»&#xa0;; si cela ne suffit pas, envoyez le rapport de «&#xa0;chatdesk doctor&#xa0;».</translation>
    </message>
    <message>
        <source>A database was here before, and now it is missing or empty.</source>
        <translation>Une base de données se trouvait ici&#xa0;; elle est désormais absente ou vide.</translation>
    </message>
    <message>
        <source>Choose the export as its program wrote it.</source>
        <translation>Choisissez l’export tel que son programme l’a écrit.</translation>
    </message>
    <message>
        <source>Nothing was created in its place.</source>
        <translation>Rien n’a été créé à sa place.</translation>
    </message>
    <message>
        <source>Restore the file or a backup; run &apos;chatdesk doctor&apos; for the paths.</source>
        <translation>Restaurez le fichier ou une sauvegarde&#xa0;; «&#xa0;chatdesk doctor&#xa0;» donne les chemins.</translation>
    </message>
    <message>
        <source>The database file was moved or replaced while ChatDesk was running.</source>
        <translation>Le fichier de la base de données a été déplacé ou remplacé pendant que ChatDesk tournait.</translation>
    </message>
    <message>
        <source>Writing has stopped so that nothing goes into the wrong file.</source>
        <translation>L’écriture s’est arrêtée pour que rien ne soit écrit dans le mauvais fichier.</translation>
    </message>
    <message>
        <source>Close ChatDesk, put the file back, and start again.</source>
        <translation>Fermez ChatDesk, remettez le fichier en place et redémarrez ChatDesk.</translation>
    </message>
    <message>
        <source>The database is out of reach: its drive, folder or file is not there.</source>
        <translation>La base de données est inaccessible&#xa0;: son lecteur, son dossier ou son fichier est introuvable.</translation>
    </message>
    <message>
        <source>Nothing was written anywhere else, and your text is still in the window.</source>
        <translation>Rien n’a été écrit ailleurs, et votre texte est toujours dans la fenêtre.</translation>
    </message>
    <message>
        <source>Nothing was written anywhere else.</source>
        <translation>Rien n’a été écrit ailleurs.</translation>
    </message>
    <message>
        <source>Connect the drive or put the file back; ChatDesk then continues by itself.</source>
        <translation>Connectez le lecteur ou remettez le fichier en place&#xa0;; ChatDesk reprendra alors automatiquement.</translation>
    </message>
    <message>
        <source>This database was written by a newer ChatDesk.</source>
        <translation>Cette base de données a été écrite par un ChatDesk plus récent.</translation>
    </message>
    <message>
        <source>It was not touched.</source>
        <translation>Elle n’a pas été modifiée.</translation>
    </message>
    <message>
        <source>Update ChatDesk to open it.</source>
        <translation>Mettez ChatDesk à jour pour l’ouvrir.</translation>
    </message>
    <message>
        <source>The database could not be upgraded.</source>
        <translation>La base de données n’a pas pu être mise à niveau.</translation>
    </message>
    <message>
        <source>It was left as it was and can be read; a verified backup is in the backup directory.</source>
        <translation>Elle est restée telle quelle et peut être lue&#xa0;; une sauvegarde vérifiée est dans le dossier des sauvegardes.</translation>
    </message>
    <message>
        <source>ChatDesk is already running on this data directory.</source>
        <translation>ChatDesk tourne déjà avec ce dossier de données.</translation>
    </message>
    <message>
        <source>Use the open window, or choose another --data-dir.</source>
        <translation>Utilisez la fenêtre ouverte, ou choisissez un autre --data-dir.</translation>
    </message>
    <message>
        <source>The output could not be written.</source>
        <translation>La sortie n’a pas pu être écrite.</translation>
    </message>
    <message>
        <source>Free some space, or send it elsewhere.</source>
        <translation>Libérez de la place, ou envoyez-la ailleurs.</translation>
    </message>
    <message>
        <source>The export could not be written.</source>
        <translation>L’export n’a pas pu être écrit.</translation>
    </message>
    <message>
        <source>Your messages are unchanged, and nothing half-written was left.</source>
        <translation>Vos messages sont inchangés, et aucun fichier incomplet n’a été laissé.</translation>
    </message>
    <message>
        <source>You may read this shared project, but not write in it.</source>
        <translation>Vous pouvez lire ce projet partagé, mais pas y écrire.</translation>
    </message>
    <message>
        <source>Ask an owner or administrator of the project to let you edit.</source>
        <translation>Demandez à un propriétaire ou administrateur du projet le droit de le modifier.</translation>
    </message>
    <message>
        <source>Another member wrote this, and your role lets you change and delete only what is yours.</source>
        <translation>Un autre membre a écrit ceci, et votre rôle ne vous permet de modifier et de supprimer que ce qui est à vous.</translation>
    </message>
    <message>
        <source>Ask the person who made it, or an owner or administrator of the project.</source>
        <translation>Adressez-vous à la personne qui l’a fait, ou à un propriétaire ou administrateur du projet.</translation>
    </message>
    <message>
        <source>The team&apos;s database did not do what was asked.</source>
        <translation>La base de données de l’équipe n’a pas exécuté la demande.</translation>
    </message>
    <message>
        <source>Everything you wrote is kept on this computer.</source>
        <translation>Tout ce que vous avez écrit est conservé sur cet ordinateur.</translation>
    </message>
    <message>
        <source>Open Details in the status line to see what it said.</source>
        <translation>Ouvrez Détails dans la barre d’état pour voir ce qu’elle a répondu.</translation>
    </message>
    <message>
        <source>The team&apos;s database was restored from a backup.</source>
        <translation>La base de données de l’équipe a été restaurée depuis une sauvegarde.</translation>
    </message>
    <message>
        <source>ChatDesk compares everything again and sends what that backup lacks.</source>
        <translation>ChatDesk compare tout à nouveau et envoie ce qui manque à cette sauvegarde.</translation>
    </message>
    <message>
        <source>Your message is kept.</source>
        <translation>Votre message est conservé.</translation>
    </message>
    <message>
        <source>{who} sent something of another kind.</source>
        <translation>{who} a envoyé un contenu d’un autre type.</translation>
    </message>
    <message>
        <source>It could not be loaded.</source>
        <translation>Cela n’a pas pu être chargé.</translation>
    </message>
    <message>
        <source>{host} did not answer in time.</source>
        <translation>{host} n’a pas répondu à temps.</translation>
    </message>
    <message>
        <source>{host} did not give an answer that can be used.</source>
        <translation>{host} n’a donné aucune réponse utilisable.</translation>
    </message>
    <message>
        <source>The address leads to another server: {host}.</source>
        <translation>L’adresse mène à un autre serveur&#xa0;: {host}.</translation>
    </message>
    <message>
        <source>{host} redirects in a circle.</source>
        <translation>{host} redirige en boucle.</translation>
    </message>
    <message>
        <source>{host} redirects to another address.</source>
        <translation>{host} redirige vers une autre adresse.</translation>
    </message>
    <message>
        <source>{host} is this computer or an address for machines only; nothing is loaded from there.</source>
        <translation>{host} est cet ordinateur ou une adresse réservée aux machines&#xa0;; rien n’est chargé à partir de là.</translation>
    </message>
    <message>
        <source>{host} is in a private network.</source>
        <translation>{host} est dans un réseau privé.</translation>
    </message>
    <message>
        <source>Nothing can be loaded from this address.</source>
        <translation>Rien ne peut être chargé depuis cette adresse.</translation>
    </message>
    <message>
        <source>{hostname} answered with the error {status}.</source>
        <translation>{hostname} a répondu par l’erreur {status}.</translation>
    </message>
    <message>
        <source>The data came compressed in a way that ChatDesk did not ask for.</source>
        <translation>Les données sont arrivées avec une compression que ChatDesk n’a pas demandée.</translation>
    </message>
    <message>
        <source>The data did not arrive completely.</source>
        <translation>Les données ne sont pas arrivées en entier.</translation>
    </message>
    <message>
        <source>The data is larger than {max_bytes} MB.</source>
        <translation>Les données dépassent {max_bytes}&#xa0;Mo.</translation>
    </message>
    <message>
        <source>“{name}” beside it is a link or a file, not a folder</source>
        <translation>«&#xa0;{name}&#xa0;», à côté, est un lien ou un fichier, pas un dossier</translation>
    </message>
    <message>
        <source>The disk of {target} is full.</source>
        <translation>Le disque de {target} est plein.</translation>
    </message>
    <message>
        <source>Free some space, or choose another place.</source>
        <translation>Libérez de la place, ou choisissez un autre emplacement.</translation>
    </message>
    <message>
        <source>{target} may not be written by this user.</source>
        <translation>Cet utilisateur n’a pas le droit d’écrire {target}.</translation>
    </message>
    <message>
        <source>{target} is a folder.</source>
        <translation>{target} est un dossier.</translation>
    </message>
    <message>
        <source>Name a file in it.</source>
        <translation>Indiquez un fichier de ce dossier.</translation>
    </message>
    <message>
        <source>The folder of {target} is not there.</source>
        <translation>Le dossier de {target} est introuvable.</translation>
    </message>
    <message>
        <source>Put the drive back, or choose another place.</source>
        <translation>Rebranchez le lecteur, ou choisissez un autre emplacement.</translation>
    </message>
    <message>
        <source>No file can be made in {parent}.</source>
        <translation>Aucun fichier ne peut être créé dans {parent}.</translation>
    </message>
    <message>
        <source>The name {name}… is too long for that place.</source>
        <translation>Le nom {name}… est trop long pour cet emplacement.</translation>
    </message>
    <message>
        <source>{target} could not be written: {strerror}.</source>
        <translation>{target} n’a pas pu être écrit&#xa0;: {strerror}.</translation>
    </message>
    <message>
        <source>“chatdesk {purpose}” (process {pid}) is using this data directory.</source>
        <translation>«&#xa0;chatdesk {purpose}&#xa0;» (processus {pid}) utilise ce dossier de données.</translation>
    </message>
    <message>
        <source>Wait until it has ended, then try again; or choose another --data-dir.</source>
        <translation>Attendez qu’il ait fini, puis réessayez&#xa0;; ou choisissez un autre --data-dir.</translation>
    </message>
    <message>
        <source>Another process answers in the place of the ChatDesk that has this data directory open.</source>
        <translation>Un autre processus répond à la place du ChatDesk qui a ouvert ce dossier de données.</translation>
    </message>
    <message>
        <source>Nothing was sent to it.</source>
        <translation>Rien ne lui a été envoyé.</translation>
    </message>
    <message>
        <source>Close ChatDesk and start it again; &apos;chatdesk doctor&apos; shows who owns the directory.</source>
        <translation>Fermez ChatDesk et redémarrez-le&#xa0;; «&#xa0;chatdesk doctor&#xa0;» indique à qui appartient le dossier.</translation>
    </message>
    <message>
        <source>The ChatDesk that was answering has ended.</source>
        <translation>Le ChatDesk qui répondait s’est arrêté.</translation>
    </message>
    <message>
        <source>What had arrived of the answer is kept.</source>
        <translation>Ce qui a été reçu de la réponse est conservé.</translation>
    </message>
    <message>
        <source>Ask again.</source>
        <translation>Reposez la question.</translation>
    </message>
    <message>
        <source>The disk is full, so ChatDesk can only read.</source>
        <translation>Le disque est plein, ChatDesk est donc en lecture seule.</translation>
    </message>
    <message>
        <source>The data directory cannot be written to.</source>
        <translation>Impossible d’écrire dans le dossier de données.</translation>
    </message>
    <message>
        <source>The file system of the data directory cannot lock files, so ChatDesk only reads from it.</source>
        <translation>Le système de fichiers du dossier de données ne peut pas verrouiller de fichiers, ChatDesk n’y accède donc qu’en lecture.</translation>
    </message>
    <message>
        <source>Choose a data directory on a local disk.</source>
        <translation>Choisissez un dossier de données sur un disque local.</translation>
    </message>
    <message>
        <source>This ChatDesk does not do that.</source>
        <translation>Ce ChatDesk ne sait pas faire cela.</translation>
    </message>
    <message>
        <source>Too many commands ask this ChatDesk at once. Try again later.</source>
        <translation>Trop de commandes interrogent ce ChatDesk à la fois. Réessayez plus tard.</translation>
    </message>
    <message>
        <source>Something unexpected happened. The log says more.</source>
        <translation>Quelque chose d’inattendu s’est produit. Le journal en dit plus.</translation>
    </message>
    <message>
        <source>There is no home directory: HOME is not set, and the system knows none for this user.</source>
        <translation>Il n’y a pas de dossier personnel&#xa0;: HOME n’est pas défini, et le système n’en connaît pas pour cet utilisateur.</translation>
    </message>
    <message>
        <source>Set HOME, or choose an absolute directory with --data-dir.</source>
        <translation>Définissez HOME, ou choisissez un chemin absolu avec --data-dir.</translation>
    </message>
    <message>
        <source>The current directory no longer exists.</source>
        <translation>Le dossier courant n’existe plus.</translation>
    </message>
    <message>
        <source>Go to another one, or choose an absolute directory with --data-dir.</source>
        <translation>Placez-vous dans un autre dossier, ou choisissez un chemin absolu avec --data-dir.</translation>
    </message>
    <message>
        <source>The data directory cannot be used: the name {data_dir} is not UTF-8.</source>
        <translation>Le dossier de données ne peut pas être utilisé&#xa0;: le nom {data_dir} n’est pas en UTF-8.</translation>
    </message>
    <message>
        <source>Rename it, or choose another with --data-dir.</source>
        <translation>Renommez-le, ou choisissez-en un autre avec --data-dir.</translation>
    </message>
    <message>
        <source>The answer of {who} took longer than {duration} and was stopped.</source>
        <translation>La réponse de {who} a pris plus de {duration} et a été arrêtée.</translation>
    </message>
    <message>
        <source>Continue the answer, or try again.</source>
        <translation>Continuez la réponse, ou réessayez.</translation>
    </message>
    <message>
        <source>The base URL is not a web address.</source>
        <translation>L’URL de base n’est pas une adresse web.</translation>
    </message>
    <message>
        <source>The base URL for {hostname} contains a user name or a password.</source>
        <translation>L’URL de base de {hostname} contient un nom d’utilisateur ou un mot de passe.</translation>
    </message>
    <message>
        <source>The API key contains characters that no key has.</source>
        <translation>La clé d’API contient des caractères impossibles dans une clé.</translation>
    </message>
    <message>
        <source>One of the extra headers contains characters that cannot be sent.</source>
        <translation>L’un des en-têtes supplémentaires contient des caractères qui ne peuvent pas être envoyés.</translation>
    </message>
    <message>
        <source>The extra header Host names another server than the address.</source>
        <translation>L’en-tête supplémentaire Host désigne un autre serveur que l’adresse.</translation>
    </message>
    <message>
        <source>The proxy that the system names cannot be used: {proxy}. Name an HTTP proxy there, or set the proxy of this provider.</source>
        <translation>Le proxy indiqué par le système ne peut pas être utilisé&#xa0;: {proxy}. Indiquez-y un proxy HTTP, ou définissez le proxy de ce fournisseur.</translation>
    </message>
    <message>
        <source>The file of certificates is not there.</source>
        <translation>Le fichier de certificats est introuvable.</translation>
    </message>
    <message>
        <source>Your message and the part of the answer that arrived are kept.</source>
        <translation>Votre message et la partie de la réponse déjà reçue sont conservés.</translation>
    </message>
    <message>
        <source>There is no network connection to {who}.</source>
        <translation>Il n’y a pas de connexion réseau avec {who}.</translation>
    </message>
    <message>
        <source>Check the network, then try again; the offline model works without one.</source>
        <translation>Vérifiez le réseau, puis réessayez&#xa0;; le modèle hors ligne s’en passe.</translation>
    </message>
    <message>
        <source>The address of {who} could not be found.</source>
        <translation>L’adresse de {who} est introuvable.</translation>
    </message>
    <message>
        <source>Check the network and the spelling of the base URL, then try again.</source>
        <translation>Vérifiez le réseau et l’orthographe de l’URL de base, puis réessayez.</translation>
    </message>
    <message>
        <source>{who} refused the connection.</source>
        <translation>{who} a refusé la connexion.</translation>
    </message>
    <message>
        <source>Check that the server is running and that the base URL names the right port.</source>
        <translation>Vérifiez que le serveur tourne et que l’URL de base indique le bon port.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate or encryption was not accepted.</source>
        <translation>La connexion à {who} n’est pas sûre&#xa0;: son certificat ou son chiffrement n’a pas été accepté.</translation>
    </message>
    <message>
        <source>Check the clock of this computer, the base URL and any proxy; nothing is sent until this is solved.</source>
        <translation>Vérifiez l’horloge de cet ordinateur, l’URL de base et l’éventuel proxy&#xa0;; rien ne sera envoyé tant que le problème n’est pas résolu.</translation>
    </message>
    <message>
        <source>{who} did not accept the request.</source>
        <translation>{who} n’a pas accepté la requête.</translation>
    </message>
    <message>
        <source>Change the message or choose another model, then try again.</source>
        <translation>Modifiez le message ou choisissez un autre modèle, puis réessayez.</translation>
    </message>
    <message>
        <source>{who} did not accept the API key.</source>
        <translation>{who} n’a pas accepté la clé d’API.</translation>
    </message>
    <message>
        <source>Check the API key in the settings.</source>
        <translation>Vérifiez la clé d’API dans les paramètres.</translation>
    </message>
    <message>
        <source>The account at {who} has no credit left or has reached its spending limit.</source>
        <translation>Le compte chez {who} n’a plus de crédit ou a atteint sa limite de dépenses.</translation>
    </message>
    <message>
        <source>Check the billing page of the account, or choose another provider.</source>
        <translation>Vérifiez la page de facturation du compte, ou choisissez un autre fournisseur.</translation>
    </message>
    <message>
        <source>{who} does not allow this API key to do that.</source>
        <translation>{who} ne permet pas cela à cette clé d’API.</translation>
    </message>
    <message>
        <source>Choose another model, or ask the owner of the account.</source>
        <translation>Choisissez un autre modèle, ou adressez-vous au titulaire du compte.</translation>
    </message>
    <message>
        <source>{who} does not know this model or this address.</source>
        <translation>{who} ne connaît pas ce modèle ou cette adresse.</translation>
    </message>
    <message>
        <source>Choose another model, or check the base URL.</source>
        <translation>Choisissez un autre modèle, ou vérifiez l’URL de base.</translation>
    </message>
    <message>
        <source>{who} gave up on the request because it took too long.</source>
        <translation>{who} a abandonné la requête parce qu’elle prenait trop de temps.</translation>
    </message>
    <message>
        <source>Try again, or shorten the message.</source>
        <translation>Réessayez, ou raccourcissez le message.</translation>
    </message>
    <message>
        <source>{who} refused the request because it conflicts with another one.</source>
        <translation>{who} a refusé la requête parce qu’elle est en conflit avec une autre.</translation>
    </message>
    <message>
        <source>Try again in a moment.</source>
        <translation>Réessayez dans un instant.</translation>
    </message>
    <message>
        <source>The thread is too long for this model.</source>
        <translation>La conversation est trop longue pour ce modèle.</translation>
    </message>
    <message>
        <source>Start a new thread, shorten the message, or choose a larger model.</source>
        <translation>Commencez une nouvelle conversation, raccourcissez le message, ou choisissez un modèle plus grand.</translation>
    </message>
    <message>
        <source>{who} is receiving too many requests.</source>
        <translation>{who} reçoit trop de requêtes.</translation>
    </message>
    <message>
        <source>Wait a moment, then try again.</source>
        <translation>Attendez un instant, puis réessayez.</translation>
    </message>
    <message>
        <source>{who} had an internal error.</source>
        <translation>{who} a rencontré une erreur interne.</translation>
    </message>
    <message>
        <source>Try again in a moment or choose another model.</source>
        <translation>Réessayez dans un instant ou choisissez un autre modèle.</translation>
    </message>
    <message>
        <source>{who} could not be reached within {seconds} s.</source>
        <translation>{who} n’a pas pu être joint en {seconds}&#xa0;s.</translation>
    </message>
    <message>
        <source>Check the network and the base URL, then try again.</source>
        <translation>Vérifiez le réseau et l’URL de base, puis réessayez.</translation>
    </message>
    <message>
        <source>{who} did not begin to answer within {seconds} s.</source>
        <translation>{who} n’a pas commencé à répondre en {seconds}&#xa0;s.</translation>
    </message>
    <message>
        <source>Try again, or give it more time: “First word” of this provider, or provider.first_byte_timeout_s.</source>
        <translation>Réessayez, ou accordez plus de temps&#xa0;: «&#xa0;Premier mot&#xa0;» de ce fournisseur, ou provider.first_byte_timeout_s.</translation>
    </message>
    <message>
        <source>Try again or choose another model.</source>
        <translation>Réessayez ou choisissez un autre modèle.</translation>
    </message>
    <message>
        <source>{who} stopped sending: no more of the answer arrived for {seconds} s.</source>
        <translation>{who} n’envoie plus rien&#xa0;: la suite de la réponse n’est pas arrivée pendant {seconds}&#xa0;s.</translation>
    </message>
    <message>
        <source>{who} redirected the request to another address; ChatDesk did not follow, so nothing was sent there.</source>
        <translation>{who} a redirigé la requête vers une autre adresse&#xa0;; ChatDesk n’a pas suivi, rien n’y a donc été envoyé.</translation>
    </message>
    <message>
        <source>{who} redirected the request without saying where to.</source>
        <translation>{who} a redirigé la requête sans indiquer vers où.</translation>
    </message>
    <message>
        <source>{who} redirected the request to an address that cannot be read.</source>
        <translation>{who} a redirigé la requête vers une adresse illisible.</translation>
    </message>
    <message>
        <source>{who} redirected the request to something that is not a web address, so nothing was sent there.</source>
        <translation>{who} a redirigé la requête vers quelque chose qui n’est pas une adresse web, rien n’y a donc été envoyé.</translation>
    </message>
    <message>
        <source>{who} redirected the request in a way that would lose the message, so ChatDesk did not follow.</source>
        <translation>{who} a redirigé la requête d’une façon qui perdrait le message, ChatDesk n’a donc pas suivi.</translation>
    </message>
    <message>
        <source>Check the base URL: a wrong path or a log-in page often causes this.</source>
        <translation>Vérifiez l’URL de base&#xa0;: un mauvais chemin ou une page de connexion en est souvent la cause.</translation>
    </message>
    <message>
        <source>{who} redirected the request to another address ({host}); ChatDesk did not follow, so nothing was sent there.</source>
        <translation>{who} a redirigé la requête vers une autre adresse ({host})&#xa0;; ChatDesk n’a pas suivi, rien n’y a donc été envoyé.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is self-signed.</source>
        <translation>La connexion à {who} n’est pas sûre&#xa0;: son certificat est autosigné.</translation>
    </message>
    <message>
        <source>The connection to {who} was lost.</source>
        <translation>La connexion à {who} a été perdue.</translation>
    </message>
    <message>
        <source>{who} sent something that ChatDesk cannot read.</source>
        <translation>{who} a envoyé quelque chose que ChatDesk ne peut pas lire.</translation>
    </message>
    <message>
        <source>Try again; if it stays so, check the base URL.</source>
        <translation>Réessayez&#xa0;; si cela persiste, vérifiez l’URL de base.</translation>
    </message>
    <message>
        <source>{who} ended the answer without saying that it is finished, so it may be cut off.</source>
        <translation>{who} a mis fin à la réponse sans signaler qu’elle est complète, elle est donc peut-être coupée.</translation>
    </message>
    <message>
        <source>{who} sent a web page or a file instead of an answer.</source>
        <translation>{who} a envoyé une page web ou un fichier au lieu d’une réponse.</translation>
    </message>
    <message>
        <source>Check the base URL (it usually ends in /v1), and sign in first if this network has a log-in page.</source>
        <translation>Vérifiez l’URL de base (elle finit en général par /v1), et identifiez-vous d’abord si ce réseau a une page de connexion.</translation>
    </message>
    <message>
        <source>{who} sent an empty answer.</source>
        <translation>{who} a envoyé une réponse vide.</translation>
    </message>
    <message>
        <source>The content filter of {who} stopped the answer.</source>
        <translation>Le filtre de contenu de {who} a arrêté la réponse.</translation>
    </message>
    <message>
        <source>Rephrase the message.</source>
        <translation>Reformulez le message.</translation>
    </message>
    <message>
        <source>{who} did not accept the image: it says that this model sees none.</source>
        <translation>{who} n’a pas accepté l’image&#xa0;: ce modèle ne verrait pas les images.</translation>
    </message>
    <message>
        <source>Send the question without the image, or choose another model.</source>
        <translation>Envoyez la question sans l’image, ou choisissez un autre modèle.</translation>
    </message>
    <message>
        <source>{who} sent more data than an answer may have, so the connection was closed.</source>
        <translation>{who} a envoyé plus de données qu’une réponse ne peut en contenir, la connexion a donc été fermée.</translation>
    </message>
    <message>
        <source>Ask for a shorter answer, or choose another model.</source>
        <translation>Demandez une réponse plus courte, ou choisissez un autre modèle.</translation>
    </message>
    <message>
        <source>Set the base URL to the final address if you trust it.</source>
        <translation>Si vous faites confiance à l’adresse finale, indiquez-la comme URL de base.</translation>
    </message>
    <message>
        <source>There is no API key for {who}.</source>
        <translation>Il n’y a pas de clé d’API pour {who}.</translation>
    </message>
    <message>
        <source>Set OPENAI_API_KEY and start ChatDesk again, or choose the offline model.</source>
        <translation>Définissez OPENAI_API_KEY et redémarrez ChatDesk, ou choisissez le modèle hors ligne.</translation>
    </message>
    <message>
        <source>The request to {who} failed.</source>
        <translation>La requête à {who} a échoué.</translation>
    </message>
    <message>
        <source>{who} is overloaded at the moment.</source>
        <translation>{who} est surchargé pour le moment.</translation>
    </message>
    <message>
        <source>{who} redirected the request in a circle, so ChatDesk gave up.</source>
        <translation>{who} a redirigé la requête en boucle, ChatDesk a donc abandonné.</translation>
    </message>
    <message>
        <source>Check the base URL, then try again.</source>
        <translation>Vérifiez l’URL de base, puis réessayez.</translation>
    </message>
    <message>
        <source>Check the clock of this computer; nothing is sent until this is solved.</source>
        <translation>Vérifiez l’horloge de cet ordinateur&#xa0;; rien ne sera envoyé tant que le problème n’est pas résolu.</translation>
    </message>
    <message>
        <source>Check the base URL and any proxy; nothing is sent until this is solved.</source>
        <translation>Vérifiez l’URL de base et l’éventuel proxy&#xa0;; rien ne sera envoyé tant que le problème n’est pas résolu.</translation>
    </message>
    <message>
        <source>If it is your own server, name its certificate&apos;s file in Settings, Providers; nothing is sent until this is solved.</source>
        <translation>Si c’est votre propre serveur, indiquez son fichier de certificat dans Paramètres, Fournisseurs&#xa0;; rien ne sera envoyé tant que le problème n’est pas résolu.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is signed by an authority that this computer does not trust.</source>
        <translation>La connexion à {who} n’est pas sûre&#xa0;: son certificat est signé par une autorité de certification à laquelle cet ordinateur ne fait pas confiance.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is not valid yet.</source>
        <translation>La connexion à {who} n’est pas sûre&#xa0;: son certificat n’est pas encore valable.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate has expired.</source>
        <translation>La connexion à {who} n’est pas sûre&#xa0;: son certificat a expiré.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is for another name.</source>
        <translation>La connexion à {who} n’est pas sûre&#xa0;: son certificat est valable pour un autre nom.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is for another address.</source>
        <translation>La connexion à {who} n’est pas sûre&#xa0;: son certificat est valable pour une autre adresse.</translation>
    </message>
    <message numerus="yes">
        <source>{count} days</source>
        <comment>{count} day</comment>
        <translation>
            <numerusform>{count} jour</numerusform>
            <numerusform>{count} jours</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} hours</source>
        <comment>{count} hour</comment>
        <translation>
            <numerusform>{count} heure</numerusform>
            <numerusform>{count} heures</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} minutes</source>
        <comment>{count} minute</comment>
        <translation>
            <numerusform>{count} minute</numerusform>
            <numerusform>{count} minutes</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} seconds</source>
        <comment>{count} second</comment>
        <translation>
            <numerusform>{count} seconde</numerusform>
            <numerusform>{count} secondes</numerusform>
        </translation>
    </message>
    <message>
        <source>This computer slept while the answer was being written, and the connection was lost.</source>
        <translation>Cet ordinateur s’est mis en veille pendant l’écriture de la réponse, et la connexion a été perdue.</translation>
    </message>
    <message>
        <source>ChatDesk made a mistake while reading the answer.</source>
        <translation>Une erreur interne s’est produite dans ChatDesk pendant la lecture de la réponse.</translation>
    </message>
    <message>
        <source>Try again; the log file has the details.</source>
        <translation>Réessayez&#xa0;; le fichier journal contient les détails.</translation>
    </message>
    <message>
        <source>Check the base URL in Settings, Providers: for most servers it ends in /v1.</source>
        <translation>Vérifiez l’URL de base dans Paramètres, Fournisseurs&#xa0;: pour la plupart des serveurs, elle se termine par /v1.</translation>
    </message>
    <message>
        <source>It says: “{quoted}”{stop}</source>
        <translation>Il dit&#xa0;: «&#xa0;{quoted}&#xa0;»{stop}</translation>
    </message>
    <message>
        <source>Try again in {duration}.</source>
        <translation>Réessayez dans {duration}.</translation>
    </message>
    <message>
        <source>{model} was retired by the company that made it.</source>
        <translation>{model} a été retiré par son éditeur.</translation>
    </message>
    <message>
        <source>Choose another model; that company names {successor} in its place.</source>
        <translation>Choisissez un autre modèle&#xa0;; son éditeur indique {successor} pour le remplacer.</translation>
    </message>
    <message>
        <source>Choose another model; the nearest are {nearest}.</source>
        <translation>Choisissez un autre modèle&#xa0;; les plus proches sont {nearest}.</translation>
    </message>
    <message>
        <source>Enter its key in Settings, Providers (OPENAI_API_KEY works for OpenAI), or choose the offline model.</source>
        <translation>Saisissez sa clé dans Paramètres, Fournisseurs (pour OpenAI, OPENAI_API_KEY convient aussi), ou choisissez le modèle hors ligne.</translation>
    </message>
    <message>
        <source>Correct it in the settings, then try again.</source>
        <translation>Corrigez-le dans les paramètres, puis réessayez.</translation>
    </message>
    <message>
        <source>{what} Nothing was sent.</source>
        <translation>{what} Rien n’a été envoyé.</translation>
    </message>
    <message>
        <source>{who} offers no model.</source>
        <translation>{who} ne propose aucun modèle.</translation>
    </message>
    <message>
        <source>Install or load a model on the server, then try again.</source>
        <translation>Installez ou chargez un modèle sur le serveur, puis réessayez.</translation>
    </message>
    <message>
        <source>This took too long.</source>
        <translation>Cela a pris trop de temps.</translation>
    </message>
    <message numerus="yes">
        <source>{count} models are offered.</source>
        <comment>{count} model is offered.</comment>
        <translation>
            <numerusform>{count} modèle est proposé.</numerusform>
            <numerusform>{count} modèles sont proposés.</numerusform>
        </translation>
    </message>
    <message>
        <source>This server has no list of models; type their names.</source>
        <translation>Ce serveur n’a pas de liste de modèles&#xa0;; saisissez leurs noms.</translation>
    </message>
    <message>
        <source>No model to ask: choose one, then test again.</source>
        <translation>Pas de modèle à interroger&#xa0;: choisissez-en un, puis testez à nouveau.</translation>
    </message>
    <message>
        <source>The server offers no model.</source>
        <translation>Le serveur ne propose aucun modèle.</translation>
    </message>
    <message>
        <source>{model} streams its answer.</source>
        <translation>{model} envoie sa réponse en continu.</translation>
    </message>
    <message>
        <source>The server answers.</source>
        <translation>Le serveur répond.</translation>
    </message>
    <message>
        <source>The connection is encrypted.</source>
        <translation>La connexion est chiffrée.</translation>
    </message>
    <message>
        <source>Not encrypted: the address is http.</source>
        <translation>Non chiffrée&#xa0;: l’adresse est en http.</translation>
    </message>
    <message>
        <source>{status}: {sentence}</source>
        <translation>{status}&#xa0;: {sentence}</translation>
    </message>
    <message>
        <source>The key is accepted.</source>
        <translation>La clé est acceptée.</translation>
    </message>
    <message>
        <source>No key is needed.</source>
        <translation>Aucune clé n’est nécessaire.</translation>
    </message>
    <message>
        <source>{who} reached the length limit before it wrote any of the answer.</source>
        <translation>{who} a atteint la limite de longueur avant d’écrire le moindre mot de la réponse.</translation>
    </message>
    <message>
        <source>{who} called a tool that it was not offered, and wrote no answer.</source>
        <translation>{who} a appelé un outil qui ne lui était pas proposé, et n’a écrit aucune réponse.</translation>
    </message>
    <message>
        <source>{switched_off} is switched off.</source>
        <translation>{switched_off} est désactivé.</translation>
    </message>
    <message>
        <source>Switch it on in Settings, Providers, or choose another model.</source>
        <translation>Activez-le dans Paramètres, Fournisseurs, ou choisissez un autre modèle.</translation>
    </message>
    <message>
        <source>There is no provider called “{name}”.</source>
        <translation>Il n’y a pas de fournisseur nommé «&#xa0;{name}&#xa0;».</translation>
    </message>
    <message>
        <source>Choose another model; the providers are: {known}.</source>
        <translation>Choisissez un autre modèle&#xa0;; les fournisseurs sont&#xa0;: {known}.</translation>
    </message>
    <message>
        <source>{label} has no key yet.</source>
        <translation>{label} n’a pas encore de clé.</translation>
    </message>
    <message>
        <source>{label} is switched off.</source>
        <translation>{label} est désactivé.</translation>
    </message>
    <message numerus="yes">
        <source>{count} models</source>
        <comment>{count} model</comment>
        <translation>
            <numerusform>{count} modèle</numerusform>
            <numerusform>{count} modèles</numerusform>
        </translation>
    </message>
    <message>
        <source>{label} answers and offers {number}.</source>
        <translation>{label} répond et propose {number}.</translation>
    </message>
    <message>
        <source>Your last message was cut off. Continue it exactly where it stops, in the middle of the word or line if need be. Do not repeat anything and do not add an introduction.</source>
        <translation>Votre dernier message a été coupé. Continuez-le exactement là où il s’arrête, au milieu du mot ou de la ligne au besoin. Ne répétez rien et n’ajoutez pas d’introduction.</translation>
    </message>
    <message>
        <source>Looking further back would take long: only the newest part was searched.</source>
        <translation>Remonter plus loin prendrait du temps&#xa0;: seule la partie la plus récente a été parcourue.</translation>
    </message>
    <message>
        <source>The newest {most_ranked} matches were ranked; older ones follow.</source>
        <translation>Les {most_ranked} résultats les plus récents ont été classés&#xa0;; les plus anciens suivent.</translation>
    </message>
    <message>
        <source>Older messages are still being indexed: {percent} %.</source>
        <translation>Les messages plus anciens sont encore en cours d’indexation&#xa0;: {percent}&#xa0;%.</translation>
    </message>
    <message>
        <source>Searching is not possible here: the search index is damaged. Your messages are not affected.</source>
        <translation>La recherche n’est pas possible ici&#xa0;: l’index est endommagé. Vos messages ne sont pas touchés.</translation>
    </message>
    <message>
        <source>The search index is damaged and is being rebuilt. Your messages are not affected; search again later.</source>
        <translation>L’index de recherche est endommagé et en cours de reconstruction. Vos messages ne sont pas touchés&#xa0;; relancez la recherche plus tard.</translation>
    </message>
    <message>
        <source>That is not a place in these results.</source>
        <translation>Cette position n’existe pas dans ces résultats.</translation>
    </message>
    <message>
        <source>Search again.</source>
        <translation>Relancez la recherche.</translation>
    </message>
    <message>
        <source>Summarise long threads</source>
        <translation>Résumer les longues conversations</translation>
    </message>
    <message>
        <source>Older messages are sent as a summary. The messages themselves stay.</source>
        <translation>Les messages anciens sont envoyés sous forme de résumé. Les messages eux-mêmes sont conservés.</translation>
    </message>
    <message>
        <source>Summaries</source>
        <translation>Résumés</translation>
    </message>
    <message>
        <source>Summarise when the window is</source>
        <translation>Résumer quand la fenêtre est pleine à</translation>
    </message>
    <message>
        <source>% full</source>
        <translation>%</translation>
    </message>
    <message>
        <source>Summarise idle threads ahead</source>
        <translation>Résumer à l’avance les conversations inactives</translation>
    </message>
    <message>
        <source>So that your next question does not wait.</source>
        <translation>Pour que votre prochaine question n’attende pas.</translation>
    </message>
    <message>
        <source>Never</source>
        <translation>Jamais</translation>
    </message>
    <message>
        <source>Every night at 3:00</source>
        <translation>Toutes les nuits à 3&#xa0;h&#xa0;00</translation>
    </message>
    <message>
        <source>Every day at 12:00</source>
        <translation>Tous les jours à 12&#xa0;h&#xa0;00</translation>
    </message>
    <message>
        <source>Every Sunday at 3:00</source>
        <translation>Tous les dimanches à 3&#xa0;h&#xa0;00</translation>
    </message>
    <message>
        <source>Every hour</source>
        <translation>Toutes les heures</translation>
    </message>
    <message>
        <source>Titles of new threads</source>
        <translation>Titres des nouvelles conversations</translation>
    </message>
    <message>
        <source>Titles</source>
        <translation>Titres</translation>
    </message>
    <message>
        <source>Written by the model</source>
        <translation>Écrits par le modèle</translation>
    </message>
    <message>
        <source>The start of the question</source>
        <translation>Le début de la question</translation>
    </message>
    <message>
        <source>Limit for titles and summaries</source>
        <translation>Limite pour les titres et les résumés</translation>
    </message>
    <message>
        <source>tokens a day</source>
        <translation>tokens par jour</translation>
    </message>
    <message>
        <source>No limit</source>
        <translation>Sans limite</translation>
    </message>
    <message>
        <source>Ask before a summary costs more than</source>
        <translation>Demander si un résumé coûte plus de</translation>
    </message>
    <message>
        <source>US dollars</source>
        <translation>dollars US</translation>
    </message>
    <message>
        <source>Never ask</source>
        <translation>Ne jamais demander</translation>
    </message>
    <message>
        <source>Ask before a summary takes more than</source>
        <translation>Demander si un résumé utilise plus de</translation>
    </message>
    <message>
        <source>tokens</source>
        <translation>tokens</translation>
    </message>
    <message>
        <source>it must be true or false</source>
        <translation>il faut true ou false</translation>
    </message>
    <message>
        <source>it must be a number</source>
        <translation>il faut un nombre</translation>
    </message>
    <message>
        <source>it must be text</source>
        <translation>il faut du texte</translation>
    </message>
    <message>
        <source>it must be one of {choices}</source>
        <translation>il faut l’une de ces valeurs&#xa0;: {choices}</translation>
    </message>
    <message>
        <source>it must be text without control characters</source>
        <translation>il faut du texte sans caractères de contrôle</translation>
    </message>
    <message>
        <source>it must be one line</source>
        <translation>il faut une seule ligne</translation>
    </message>
    <message>
        <source>it must be at least {minimum}</source>
        <translation>le minimum est {minimum}</translation>
    </message>
    <message>
        <source>it must be at most {maximum}</source>
        <translation>le maximum est {maximum}</translation>
    </message>
    <message>
        <source>it must be a whole number</source>
        <translation>il faut un nombre entier</translation>
    </message>
    <message>
        <source>it must be a table of names and texts, such as {&quot;X-Team&quot; = &quot;blue&quot;}</source>
        <translation>il faut une table de noms et de textes, par exemple {&quot;X-Team&quot; = &quot;blue&quot;}</translation>
    </message>
    <message>
        <source>names and values must be text</source>
        <translation>les noms et les valeurs doivent être du texte</translation>
    </message>
    <message>
        <source>a name has letters, digits, dots and hyphens only</source>
        <translation>un nom ne peut contenir que des lettres, des chiffres, des points et des traits d’union</translation>
    </message>
    <message>
        <source>a value must be one line</source>
        <translation>une valeur doit tenir sur une ligne</translation>
    </message>
    <message>
        <source>each line must look like &apos;Name: value&apos;</source>
        <translation>chaque ligne doit être de la forme «&#xa0;Nom: valeur&#xa0;»</translation>
    </message>
    <message>
        <source>it must be a provider and a model, such as openai/gpt-5.4-mini</source>
        <translation>il faut un fournisseur et un modèle, par exemple openai/gpt-5.4-mini</translation>
    </message>
    <message>
        <source>it must begin with https:// or http:// and name a server</source>
        <translation>l’adresse doit commencer par https:// ou http:// et indiquer un serveur</translation>
    </message>
    <message>
        <source>it must not contain a password; use the keyring or OPENAI_API_KEY</source>
        <translation>l’adresse ne doit pas contenir de mot de passe&#xa0;; utilisez le trousseau ou OPENAI_API_KEY</translation>
    </message>
    <message>
        <source>The file of {subject} {path} is damaged; it is kept under another name when it is read next.</source>
        <translation>Le fichier {path} ({subject}) est endommagé&#xa0;; il sera gardé sous un autre nom à la prochaine lecture.</translation>
    </message>
    <message>
        <source>The file of {subject} {path} was written by a newer ChatDesk. What is known of it is used, and it is left as it is.</source>
        <translation>Le fichier {path} ({subject}) a été écrit par un ChatDesk plus récent. Ce que ChatDesk en connaît est utilisé, et le fichier reste tel quel.</translation>
    </message>
    <message>
        <source>The file of {subject} {path} cannot be read ({strerror}).</source>
        <translation>Le fichier {path} ({subject}) ne peut pas être lu ({strerror}).</translation>
    </message>
    <message>
        <source>The file of {subject} {path} is damaged and was left as it is.</source>
        <translation>Le fichier {path} ({subject}) est endommagé et est resté tel quel.</translation>
    </message>
    <message>
        <source>The file of {subject} {path} is damaged; it is kept as {name}. Set the {subject} up again.</source>
        <translation>Le fichier {path} ({subject}) est endommagé&#xa0;; il est conservé sous {name}. Refaites la configuration.</translation>
    </message>
    <message>
        <source>The passphrase does not open the file of keys.</source>
        <translation>La phrase secrète n’ouvre pas le fichier de clés.</translation>
    </message>
    <message>
        <source>The keys are unchanged.</source>
        <translation>Les clés sont inchangées.</translation>
    </message>
    <message>
        <source>The file of keys cannot be read or written.</source>
        <translation>Le fichier de clés ne peut pas être lu ou écrit.</translation>
    </message>
    <message>
        <source>It was left as it is; keys hold until ChatDesk closes.</source>
        <translation>Il est resté tel quel&#xa0;; les clés restent valables jusqu’à la fermeture de ChatDesk.</translation>
    </message>
    <message>
        <source>Type it again; capital letters count. Without it, the keys have to be entered again.</source>
        <translation>Saisissez-la à nouveau&#xa0;; les majuscules comptent. Sans elle, il faut saisir à nouveau les clés.</translation>
    </message>
    <message>
        <source>Check the configuration directory, or delete the file keys.encrypted.json and enter the keys again.</source>
        <translation>Vérifiez le dossier de configuration, ou supprimez le fichier keys.encrypted.json et saisissez à nouveau les clés.</translation>
    </message>
    <message>
        <source>The file of keys has not been opened in this run.</source>
        <translation>Le fichier de clés n’a pas été ouvert depuis le démarrage.</translation>
    </message>
    <message>
        <source>The keys in it are unchanged.</source>
        <translation>Les clés qu’il contient sont inchangées.</translation>
    </message>
    <message>
        <source>Enter its passphrase in Settings, Providers.</source>
        <translation>Saisissez sa phrase secrète dans Paramètres, Fournisseurs.</translation>
    </message>
    <message>
        <source>There is a file of keys already.</source>
        <translation>Il y a déjà un fichier de clés.</translation>
    </message>
    <message>
        <source>Enter its passphrase.</source>
        <translation>Saisissez sa phrase secrète.</translation>
    </message>
    <message>
        <source>Straight rows of keys are easy to guess.</source>
        <translation>Les touches alignées sont faciles à deviner.</translation>
    </message>
    <message>
        <source>Short keyboard patterns are easy to guess.</source>
        <translation>Les courts motifs de clavier sont faciles à deviner.</translation>
    </message>
    <message>
        <source>Repeats like &quot;aaa&quot; are easy to guess.</source>
        <translation>Les répétitions comme «&#xa0;aaa&#xa0;» sont faciles à deviner.</translation>
    </message>
    <message>
        <source>Repeats like &quot;abcabcabc&quot; are only slightly harder to guess than &quot;abc&quot;.</source>
        <translation>Les répétitions comme «&#xa0;abcabcabc&#xa0;» ne sont guère plus difficiles à deviner que «&#xa0;abc&#xa0;».</translation>
    </message>
    <message>
        <source>Sequences like &quot;abc&quot; or &quot;6543&quot; are easy to guess.</source>
        <translation>Les suites comme «&#xa0;abc&#xa0;» ou «&#xa0;6543&#xa0;» sont faciles à deviner.</translation>
    </message>
    <message>
        <source>Recent years are easy to guess.</source>
        <translation>Les années récentes sont faciles à deviner.</translation>
    </message>
    <message>
        <source>Dates are often easy to guess.</source>
        <translation>Les dates sont souvent faciles à deviner.</translation>
    </message>
    <message>
        <source>This is a top-10 common password.</source>
        <translation>C’est l’un des 10 mots de passe les plus courants.</translation>
    </message>
    <message>
        <source>This is a top-100 common password.</source>
        <translation>C’est l’un des 100 mots de passe les plus courants.</translation>
    </message>
    <message>
        <source>This is a very common password.</source>
        <translation>C’est un mot de passe très courant.</translation>
    </message>
    <message>
        <source>This is similar to a commonly used password.</source>
        <translation>Cela ressemble à un mot de passe courant.</translation>
    </message>
    <message>
        <source>A word by itself is easy to guess.</source>
        <translation>Un mot seul est facile à deviner.</translation>
    </message>
    <message>
        <source>Names and surnames by themselves are easy to guess.</source>
        <translation>Un prénom ou un nom seul est facile à deviner.</translation>
    </message>
    <message>
        <source>Common names and surnames are easy to guess.</source>
        <translation>Les prénoms et noms courants sont faciles à deviner.</translation>
    </message>
    <message>
        <source>A new passphrase: four words or more</source>
        <translation>Une nouvelle phrase secrète&#xa0;: quatre mots ou plus</translation>
    </message>
    <message>
        <source>This passphrase is easy to guess.</source>
        <translation>Cette phrase secrète est facile à deviner.</translation>
    </message>
    <message>
        <source>Four or five words that do not belong together are easy to remember and hard to guess.</source>
        <translation>Quatre ou cinq mots sans rapport entre eux sont faciles à retenir et difficiles à deviner.</translation>
    </message>
    <message>
        <source>A passphrase of blanks guards nothing.</source>
        <translation>Une phrase secrète faite d’espaces ne protège rien.</translation>
    </message>
    <message>
        <source>Any OpenAI-compatible address.</source>
        <translation>Toute adresse compatible avec OpenAI.</translation>
    </message>
    <message>
        <source>Own server</source>
        <translation>Serveur personnel</translation>
    </message>
    <message>
        <source>Enter the name of your resource in the address. Models are your deployments.</source>
        <translation>Saisissez le nom de votre ressource dans l’adresse. Les modèles sont vos déploiements.</translation>
    </message>
    <message>
        <source>The providers could not be saved.</source>
        <translation>Les fournisseurs n’ont pas pu être enregistrés.</translation>
    </message>
    <message>
        <source>The old file is unchanged; the change applies until ChatDesk closes.</source>
        <translation>L’ancien fichier est inchangé&#xa0;; le changement s’applique jusqu’à la fermeture de ChatDesk.</translation>
    </message>
    <message>
        <source>Check the permissions and the free space of the configuration directory.</source>
        <translation>Vérifiez les droits et la place libre du dossier de configuration.</translation>
    </message>
    <message>
        <source>providers</source>
        <translation>fournisseurs</translation>
    </message>
    <message>
        <source>The file of providers was written by a newer ChatDesk.</source>
        <translation>Le fichier des fournisseurs a été écrit par un ChatDesk plus récent.</translation>
    </message>
    <message>
        <source>Update ChatDesk to change it.</source>
        <translation>Mettez ChatDesk à jour pour le modifier.</translation>
    </message>
    <message>
        <source>The file of providers {path} could not be written.</source>
        <translation>Le fichier des fournisseurs {path} n’a pas pu être écrit.</translation>
    </message>
    <message numerus="yes">
        <source>{count} providers were left out: its entry in providers.json cannot be used.</source>
        <comment>{count} provider was left out: its entry in providers.json cannot be used.</comment>
        <translation>
            <numerusform>{count} fournisseur a été ignoré&#xa0;: son entrée dans providers.json est inutilisable.</numerusform>
            <numerusform>{count} fournisseurs ont été ignorés&#xa0;: leur entrée dans providers.json est inutilisable.</numerusform>
        </translation>
    </message>
    <message>
        <source>New threads use</source>
        <translation>Les nouvelles conversations utilisent</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>Modèles</translation>
    </message>
    <message>
        <source>The first provider that is ready</source>
        <translation>Le premier fournisseur prêt</translation>
    </message>
    <message>
        <source>The offline demo</source>
        <translation>La démo hors ligne</translation>
    </message>
    <message>
        <source>Address of OpenAI</source>
        <translation>Adresse d’OpenAI</translation>
    </message>
    <message>
        <source>Model of new threads</source>
        <translation>Modèle des nouvelles conversations</translation>
    </message>
    <message>
        <source>The provider&apos;s own choice</source>
        <translation>Le choix du fournisseur</translation>
    </message>
    <message>
        <source>Headers for OpenAI</source>
        <translation>En-têtes pour OpenAI</translation>
    </message>
    <message>
        <source>Model for titles and summaries</source>
        <translation>Modèle pour les titres et les résumés</translation>
    </message>
    <message>
        <source>The thread&apos;s own model</source>
        <translation>Le modèle de la conversation</translation>
    </message>
    <message>
        <source>Let models draw with their vendor&apos;s image tool</source>
        <translation>Laisser les modèles dessiner avec l’outil d’image de leur fournisseur</translation>
    </message>
    <message>
        <source>Responses protocol only; no limit sees what drawing costs.</source>
        <translation>Protocole Responses seulement&#xa0;; aucune limite ne tient compte du coût des dessins.</translation>
    </message>
    <message>
        <source>Model for pictures</source>
        <translation>Modèle pour les images</translation>
    </message>
    <message>
        <source>Offered where a model sees none.</source>
        <translation>Proposé quand un modèle ne voit pas les images.</translation>
    </message>
    <message>
        <source>None</source>
        <translation>Aucun</translation>
    </message>
    <message>
        <source>Longest answer</source>
        <translation>Longueur maximale d’une réponse</translation>
    </message>
    <message>
        <source>The model&apos;s own limit</source>
        <translation>La limite du modèle</translation>
    </message>
    <message>
        <source>Keep the start of a thread for</source>
        <translation>Garder le début d’une conversation pendant</translation>
    </message>
    <message>
        <source>Makes follow-up questions to Claude cheaper.</source>
        <translation>Rend les questions suivantes à Claude moins chères.</translation>
    </message>
    <message>
        <source>5 minutes</source>
        <translation>5 minutes</translation>
    </message>
    <message>
        <source>1 hour</source>
        <translation>1 heure</translation>
    </message>
    <message>
        <source>Do not keep it</source>
        <translation>Ne pas le garder</translation>
    </message>
    <message>
        <source>Wait for a connection</source>
        <translation>Attendre une connexion</translation>
    </message>
    <message>
        <source>Slow servers</source>
        <translation>Serveurs lents</translation>
    </message>
    <message>
        <source>seconds</source>
        <translation>secondes</translation>
    </message>
    <message>
        <source>Wait for an answer to begin</source>
        <translation>Attendre le début d’une réponse</translation>
    </message>
    <message>
        <source>Servers on this computer and in the local network get ten times as long.</source>
        <translation>Les serveurs de cet ordinateur et du réseau local ont dix fois plus de temps.</translation>
    </message>
    <message>
        <source>Wait when an answer pauses</source>
        <translation>Attendre quand une réponse marque une pause</translation>
    </message>
    <message>
        <source>When you are offline</source>
        <translation>Quand vous êtes hors ligne</translation>
    </message>
    <message>
        <source>Wait until you try again</source>
        <translation>Attendre que vous réessayiez</translation>
    </message>
    <message>
        <source>Send once you are online</source>
        <translation>Envoyer dès que vous serez en ligne</translation>
    </message>
    <message>
        <source>When you close the window during an answer</source>
        <translation>Quand vous fermez la fenêtre pendant une réponse</translation>
    </message>
    <message>
        <source>Stop, and continue it later</source>
        <translation>Arrêter, et continuer plus tard</translation>
    </message>
    <message>
        <source>Finish it first</source>
        <translation>La terminer d’abord</translation>
    </message>
    <message>
        <source>Speed of the offline demo</source>
        <translation>Vitesse de la démo hors ligne</translation>
    </message>
    <message>
        <source>tokens/s</source>
        <translation>tokens/s</translation>
    </message>
    <message>
        <source>Instructions for all threads</source>
        <translation>Instructions pour toutes les conversations</translation>
    </message>
    <message>
        <source>A project or thread with its own instructions uses those instead.</source>
        <translation>Un projet ou une conversation qui a ses propres instructions utilise celles-ci à la place.</translation>
    </message>
    <message>
        <source>Writing</source>
        <translation>Écriture</translation>
    </message>
    <message>
        <source>For example: answer briefly, in British English.</source>
        <translation>Par exemple&#xa0;: répondez brièvement, en français.</translation>
    </message>
    <message>
        <source>custom instructions system prompt personality</source>
        <translation>instructions personnalisées prompt système personnalité</translation>
    </message>
    <message>
        <source>Send at most</source>
        <translation>Envoyer au plus</translation>
    </message>
    <message>
        <source>For example 20/min or 200/day. Further messages wait their turn.</source>
        <translation>Par exemple 20/min ou 200/day. Les messages suivants attendent leur tour.</translation>
    </message>
    <message>
        <source>rate</source>
        <translation>débit</translation>
    </message>
    <message>
        <source>Send at most, by provider and project</source>
        <translation>Envoyer au plus, par fournisseur et projet</translation>
    </message>
    <message>
        <source>Longest message</source>
        <translation>Longueur maximale d’un message</translation>
    </message>
    <message>
        <source>Largest attached file</source>
        <translation>Taille maximale d’un fichier joint</translation>
    </message>
    <message>
        <source>Most files in a message</source>
        <translation>Nombre maximal de fichiers par message</translation>
    </message>
    <message>
        <source>files</source>
        <translation>fichiers</translation>
    </message>
    <message>
        <source>Largest size of all files in a message</source>
        <translation>Taille maximale des fichiers d’un message</translation>
    </message>
    <message>
        <source>Largest size of all files in a day</source>
        <translation>Taille maximale des fichiers par jour</translation>
    </message>
    <message>
        <source>Kinds of files kept out</source>
        <translation>Types de fichiers refusés</translation>
    </message>
    <message>
        <source>Such as video/*, application/zip.</source>
        <translation>Par exemple video/*, application/zip.</translation>
    </message>
    <message>
        <source>Empty the trash after</source>
        <translation>Vider la corbeille après</translation>
    </message>
    <message>
        <source>Trash and archive</source>
        <translation>Corbeille et archives</translation>
    </message>
    <message>
        <source>days</source>
        <translation>jours</translation>
    </message>
    <message>
        <source>deleted retention</source>
        <translation>supprimé conservation</translation>
    </message>
    <message>
        <source>Move archived threads to the trash after</source>
        <translation>Mettre à la corbeille les conversations archivées après</translation>
    </message>
    <message>
        <source>Keep a backup of each day for</source>
        <translation>Garder une sauvegarde par jour pendant</translation>
    </message>
    <message>
        <source>Backups</source>
        <translation>Sauvegardes</translation>
    </message>
    <message>
        <source>Before that, one of each week for</source>
        <translation>Avant cela, une par semaine pendant</translation>
    </message>
    <message>
        <source>weeks</source>
        <translation>semaines</translation>
    </message>
    <message>
        <source>Notify about others&apos; messages</source>
        <translation>Signaler les messages des autres</translation>
    </message>
    <message>
        <source>Only while the window is not in front.</source>
        <translation>Seulement quand la fenêtre n’est pas au premier plan.</translation>
    </message>
    <message>
        <source>With name and thread</source>
        <translation>Avec nom et conversation</translation>
    </message>
    <message>
        <source>With name, thread and text</source>
        <translation>Avec nom, conversation et texte</translation>
    </message>
    <message>
        <source>Detail of the log file</source>
        <translation>Niveau de détail du journal</translation>
    </message>
    <message>
        <source>From the next start on.</source>
        <translation>À partir du prochain démarrage.</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>Journal</translation>
    </message>
    <message>
        <source>Everything</source>
        <translation>Tout</translation>
    </message>
    <message>
        <source>Normal</source>
        <translation>Normal</translation>
    </message>
    <message>
        <source>Warnings and failures</source>
        <translation>Avertissements et erreurs</translation>
    </message>
    <message>
        <source>Failures only</source>
        <translation>Erreurs uniquement</translation>
    </message>
    <message>
        <source>Virus scanner (clamd)</source>
        <translation>Antivirus (clamd)</translation>
    </message>
    <message>
        <source>Its socket, such as /run/clamav/clamd.ctl, or host:port.</source>
        <translation>Son socket, par exemple /run/clamav/clamd.ctl, ou host:port.</translation>
    </message>
    <message>
        <source>Attached files</source>
        <translation>Fichiers joints</translation>
    </message>
    <message>
        <source>When the scanner does not answer</source>
        <translation>Quand l’antivirus ne répond pas</translation>
    </message>
    <message>
        <source>Keep files out</source>
        <translation>Refuser les fichiers</translation>
    </message>
    <message>
        <source>Let files in</source>
        <translation>Accepter les fichiers</translation>
    </message>
    <message>
        <source>The key could not be put into the system&apos;s keyring.</source>
        <translation>La clé n’a pas pu être mise dans le trousseau du système.</translation>
    </message>
    <message>
        <source>It is used until ChatDesk closes and was not written to any file.</source>
        <translation>Elle est utilisée jusqu’à la fermeture de ChatDesk et n’a été écrite dans aucun fichier.</translation>
    </message>
    <message>
        <source>Unlock or install a keyring, or choose the encrypted file in Settings, Providers.</source>
        <translation>Déverrouillez ou installez un trousseau, ou choisissez le fichier chiffré dans Paramètres, Fournisseurs.</translation>
    </message>
    <message>
        <source>The keyring did not answer; it may be locked or waiting for a password.</source>
        <translation>Le trousseau n’a pas répondu&#xa0;; il est peut-être verrouillé ou attend un mot de passe.</translation>
    </message>
    <message>
        <source>no answer within {timeout_s} s</source>
        <translation>pas de réponse en {timeout_s}&#xa0;s</translation>
    </message>
    <message>
        <source>There is no keyring on this system.</source>
        <translation>Il n’y a pas de trousseau sur ce système.</translation>
    </message>
    <message>
        <source>The keyring is locked.</source>
        <translation>Le trousseau est verrouillé.</translation>
    </message>
    <message>
        <source>The keyring failed ({name}).</source>
        <translation>Le trousseau a rencontré une erreur ({name}).</translation>
    </message>
    <message>
        <source>Let other programs use ChatDesk</source>
        <translation>Laisser d’autres programmes utiliser ChatDesk</translation>
    </message>
    <message>
        <source>Port</source>
        <translation>Port</translation>
    </message>
    <message>
        <source>The window and chatdesk serve listen on it.</source>
        <translation>La fenêtre et chatdesk serve y écoutent.</translation>
    </message>
    <message>
        <source>on this computer</source>
        <translation>sur cet ordinateur</translation>
    </message>
    <message>
        <source>Any that is free</source>
        <translation>N’importe quel port libre</translation>
    </message>
    <message>
        <source>api http rest</source>
        <translation>api http rest</translation>
    </message>
    <message>
        <source>Also listen on</source>
        <translation>Écouter aussi sur</translation>
    </message>
    <message>
        <source>For example 192.168.1.5:8443. Needs a certificate.</source>
        <translation>Par exemple 192.168.1.5:8443. Nécessite un certificat.</translation>
    </message>
    <message>
        <source>Nothing</source>
        <translation>Rien</translation>
    </message>
    <message>
        <source>Certificate</source>
        <translation>Certificat</translation>
    </message>
    <message>
        <source>A PEM file.</source>
        <translation>Un fichier PEM.</translation>
    </message>
    <message>
        <source>Key of the certificate</source>
        <translation>Clé du certificat</translation>
    </message>
    <message>
        <source>A PEM file without a passphrase.</source>
        <translation>Un fichier PEM sans phrase secrète.</translation>
    </message>
    <message>
        <source>Let web pages of these origins ask</source>
        <translation>Autoriser les pages web de ces origines à interroger ChatDesk</translation>
    </message>
    <message>
        <source>For example https://tool.example. Each page still needs a token.</source>
        <translation>Par exemple https://tool.example. Chaque page a tout de même besoin d’un jeton.</translation>
    </message>
    <message>
        <source>cors origin browser website</source>
        <translation>cors origine navigateur site web</translation>
    </message>
    <message>
        <source>The settings could not be saved.</source>
        <translation>Les paramètres n’ont pas pu être enregistrés.</translation>
    </message>
    <message>
        <source>The old settings file is unchanged; the new settings hold until ChatDesk closes.</source>
        <translation>L’ancien fichier de paramètres est inchangé&#xa0;; les nouveaux s’appliquent jusqu’à la fermeture de ChatDesk.</translation>
    </message>
    <message>
        <source>{key} in the settings file</source>
        <translation>{key} dans le fichier de paramètres</translation>
    </message>
    <message>
        <source>{key} cannot be set: {error}.</source>
        <translation>{key} ne peut pas être défini&#xa0;: {error}.</translation>
    </message>
    <message>
        <source>The settings file {path} could not be written.</source>
        <translation>Le fichier de paramètres {path} n’a pas pu être écrit.</translation>
    </message>
    <message>
        <source>The settings file {path} cannot be read ({strerror}). Defaults are used; the file is unchanged.</source>
        <translation>Le fichier de paramètres {path} ne peut pas être lu ({strerror}). Les valeurs par défaut sont utilisées&#xa0;; le fichier est inchangé.</translation>
    </message>
    <message>
        <source>The settings file {path} is empty. Defaults are used; delete it if that is meant.</source>
        <translation>Le fichier de paramètres {path} est vide. Les valeurs par défaut sont utilisées&#xa0;; supprimez-le si c’est voulu.</translation>
    </message>
    <message>
        <source>kept as {name}</source>
        <translation>conservé sous {name}</translation>
    </message>
    <message>
        <source>left as it is</source>
        <translation>resté tel quel</translation>
    </message>
    <message>
        <source>The settings file {path} is damaged. Defaults are used; the damaged file is {where}.</source>
        <translation>Le fichier de paramètres {path} est endommagé. Les valeurs par défaut sont utilisées&#xa0;; le fichier endommagé est {where}.</translation>
    </message>
    <message>
        <source>Steps of an answer</source>
        <translation>Étapes d’une réponse</translation>
    </message>
    <message>
        <source>Limits</source>
        <translation>Limites</translation>
    </message>
    <message>
        <source>requests to the model</source>
        <translation>requêtes au modèle</translation>
    </message>
    <message>
        <source>Time for an answer</source>
        <translation>Durée d’une réponse</translation>
    </message>
    <message>
        <source>minutes</source>
        <translation>minutes</translation>
    </message>
    <message>
        <source>Time for a call</source>
        <translation>Durée d’un appel</translation>
    </message>
    <message>
        <source>Time for a server to start</source>
        <translation>Durée de démarrage d’un serveur</translation>
    </message>
    <message>
        <source>Cost of an answer</source>
        <translation>Coût d’une réponse</translation>
    </message>
    <message>
        <source>No limit of its own</source>
        <translation>Sans limite particulière</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>Thème</translation>
    </message>
    <message>
        <source>Look</source>
        <translation>Apparence</translation>
    </message>
    <message>
        <source>colours colors dark mode appearance</source>
        <translation>couleurs sombre mode apparence</translation>
    </message>
    <message>
        <source>Same as the system</source>
        <translation>Comme le système</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Clair</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Sombre</translation>
    </message>
    <message>
        <source>Light, high contrast</source>
        <translation>Clair, contraste élevé</translation>
    </message>
    <message>
        <source>Dark, high contrast</source>
        <translation>Sombre, contraste élevé</translation>
    </message>
    <message>
        <source>tour, help</source>
        <translation>visite, tour, aide, que peux-tu, que pouvez-vous</translation>
    </message>
    <message numerus="yes">
        <source>With your message I got these {count} files:</source>
        <comment>With your message I got this:</comment>
        <translation>
            <numerusform>Avec votre message, j’ai reçu ceci&#xa0;:</numerusform>
            <numerusform>Avec votre message, j’ai reçu ces {count} fichiers&#xa0;:</numerusform>
        </translation>
    </message>
    <message>
        <source>{name}, an image of {size} pixels</source>
        <translation>{name}, une image de {size} pixels</translation>
    </message>
    <message>
        <source>{name}, a file of {bytes} bytes ({kind}), of which the beginning and the end fit</source>
        <translation>{name}, un fichier de {bytes} octets ({kind}), dont seuls le début et la fin tiennent</translation>
    </message>
    <message>
        <source>{name}, a file of {bytes} bytes ({kind})</source>
        <translation>{name}, un fichier de {bytes} octets ({kind})</translation>
    </message>
    <message>
        <source>You wrote nothing.</source>
        <translation>Vous n’avez rien écrit.</translation>
    </message>
    <message>
        <source>You wrote: {question}</source>
        <translation>Vous avez écrit&#xa0;: {question}</translation>
    </message>
    <message>
        <source>A small function, and how to call it:</source>
        <translation>Une petite fonction, et comment l’appeler&#xa0;:</translation>
    </message>
    <message>
        <source>The `dict` keeps the order in which words were first seen.</source>
        <translation>Le `dict` garde l’ordre dans lequel les mots sont apparus.</translation>
    </message>
    <message>
        <source>in the application</source>
        <translation>dans l’application</translation>
    </message>
    <message>
        <source>on a server</source>
        <translation>sur un serveur</translation>
    </message>
    <message>
        <source>Runs</source>
        <translation>Fonctionne</translation>
    </message>
    <message>
        <source>Good for</source>
        <translation>Convient à</translation>
    </message>
    <message>
        <source>First release</source>
        <translation>Première version</translation>
    </message>
    <message>
        <source>one computer, one file</source>
        <translation>un ordinateur, un fichier</translation>
    </message>
    <message>
        <source>many people at once</source>
        <translation>beaucoup de monde à la fois</translation>
    </message>
    <message>
        <source>analysing large tables</source>
        <translation>l’analyse de grands tableaux</translation>
    </message>
    <message>
        <source>**Say what you want.** One sentence is enough.</source>
        <translation>**Dites ce que vous voulez.** Une phrase suffit.</translation>
    </message>
    <message>
        <source>**Collect what you have.**</source>
        <translation>**Rassemblez ce que vous avez.**</translation>
    </message>
    <message>
        <source>notes</source>
        <translation>notes</translation>
    </message>
    <message>
        <source>examples</source>
        <translation>exemples</translation>
    </message>
    <message>
        <source>open questions</source>
        <translation>questions ouvertes</translation>
    </message>
    <message>
        <source>**Try the smallest thing that could work**, then look at it again.</source>
        <translation>**Essayez la plus petite chose qui pourrait marcher**, puis regardez-la de nouveau.</translation>
    </message>
    <message>
        <source>question asked</source>
        <translation>question posée</translation>
    </message>
    <message>
        <source>answer checked</source>
        <translation>réponse vérifiée</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>Étapes</translation>
    </message>
    <message>
        <source>With {first} and {second}, the two roots of {equation} are $a$ and $b$ themselves:</source>
        <translation>Avec {first} et {second}, les deux racines de {equation} sont $a$ et $b$&#xa0;:</translation>
    </message>
    <message>
        <source>Mathematics</source>
        <translation>Mathématiques</translation>
    </message>
    <message>
        <source>The sum of the first $n$ whole numbers is {total}.</source>
        <translation>La somme des $n$ premiers nombres entiers est {total}.</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>Langue</translation>
    </message>
    <message>
        <source>Hello</source>
        <translation>Bonjour</translation>
    </message>
    <message>
        <source>Thank you</source>
        <translation>Merci</translation>
    </message>
    <message>
        <source>Translation</source>
        <translation>Traduction</translation>
    </message>
    <message>
        <source>A real model would translate your own sentence.</source>
        <translation>Un vrai modèle traduirait votre propre phrase.</translation>
    </message>
    <message>
        <source>An explanation comes with **bold** and *italic* words, with [links](https://example.org) and with quotations:</source>
        <translation>Une explication contient des mots en **gras** et en *italique*, des [liens](https://example.org) et des citations&#xa0;:</translation>
    </message>
    <message>
        <source>A good explanation is one that lets you predict what happens next.</source>
        <translation>Une bonne explication permet de prévoir ce qui se passera ensuite.</translation>
    </message>
    <message>
        <source>**What it is for** comes first.</source>
        <translation>**À quoi cela sert** vient d’abord.</translation>
    </message>
    <message>
        <source>**How it works** follows, part by part.</source>
        <translation>**Comment cela marche** suit, partie par partie.</translation>
    </message>
    <message>
        <source>**Where it ends** closes it.</source>
        <translation>**Où cela s’arrête** conclut.</translation>
    </message>
    <message>
        <source>Explanation</source>
        <translation>Explication</translation>
    </message>
    <message>
        <source>Your message has **{words} words** and {characters} characters.</source>
        <translation>Votre message compte **{words} mots** et {characters} caractères.</translation>
    </message>
    <message>
        <source>In short</source>
        <translation>En bref</translation>
    </message>
    <message>
        <source>hello, good morning</source>
        <translation>bonjour, bonsoir, salut</translation>
    </message>
    <message>
        <source>code, function, program</source>
        <translation>code, fonction, programme, script, python</translation>
    </message>
    <message>
        <source>table, compare</source>
        <translation>tableau, compare</translation>
    </message>
    <message>
        <source>list, steps, plan, ideas</source>
        <translation>liste, étape, plan, idée</translation>
    </message>
    <message>
        <source>mathematics, formula, calculate</source>
        <translation>math, formule, équation, calcul</translation>
    </message>
    <message>
        <source>translate, translation</source>
        <translation>traduis, traduire, traduction, traduisez</translation>
    </message>
    <message>
        <source>explain, why, what is</source>
        <translation>explique, explication, pourquoi, qu’est-ce, qu&apos;est-ce</translation>
    </message>
    <message>
        <source>summary, summarise</source>
        <translation>résum, en bref</translation>
    </message>
    <message>
        <source>Changes when ChatDesk starts again.</source>
        <translation>Pris en compte au prochain démarrage de ChatDesk.</translation>
    </message>
    <message>
        <source>translation locale</source>
        <translation>traduction langue régionale</translation>
    </message>
    <message>
        <source>Text size</source>
        <translation>Taille du texte</translation>
    </message>
    <message>
        <source>font zoom</source>
        <translation>police zoom</translation>
    </message>
    <message>
        <source>Room for fingers</source>
        <translation>Éléments agrandis pour le tactile</translation>
    </message>
    <message>
        <source>touch screen targets size density</source>
        <translation>écran tactile toucher cibles taille densité</translation>
    </message>
    <message>
        <source>When the screen is touched</source>
        <translation>Quand on touche l’écran</translation>
    </message>
    <message>
        <source>Always</source>
        <translation>Toujours</translation>
    </message>
    <message>
        <source>Animations</source>
        <translation>Animations</translation>
    </message>
    <message>
        <source>movement</source>
        <translation>mouvement</translation>
    </message>
    <message>
        <source>On</source>
        <translation>Activé</translation>
    </message>
    <message>
        <source>Off</source>
        <translation>Désactivé</translation>
    </message>
    <message>
        <source>Screen reader reads answers</source>
        <translation>Le lecteur d’écran lit les réponses</translation>
    </message>
    <message>
        <source>Their start and end are always announced.</source>
        <translation>Leur début et leur fin sont toujours annoncés.</translation>
    </message>
    <message>
        <source>speech voice</source>
        <translation>parole voix</translation>
    </message>
    <message>
        <source>No</source>
        <translation>Non</translation>
    </message>
    <message>
        <source>When they are complete</source>
        <translation>Quand elles sont complètes</translation>
    </message>
    <message>
        <source>Sentence by sentence</source>
        <translation>Phrase par phrase</translation>
    </message>
    <message>
        <source>Send with</source>
        <translation>Envoyer avec</translation>
    </message>
    <message>
        <source>Shift+Enter always adds a line.</source>
        <translation>Maj+Entrée ajoute toujours une ligne.</translation>
    </message>
    <message>
        <source>return key newline</source>
        <translation>touche entrée retour à la ligne</translation>
    </message>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>Raccourcis clavier</translation>
    </message>
    <message>
        <source>Press Ctrl+/ to see them at any time.</source>
        <translation>Ctrl+/ les affiche à tout moment.</translation>
    </message>
    <message>
        <source>Show your messages</source>
        <translation>Afficher vos messages</translation>
    </message>
    <message>
        <source>markdown</source>
        <translation>markdown</translation>
    </message>
    <message>
        <source>With formatting</source>
        <translation>Avec mise en forme</translation>
    </message>
    <message>
        <source>Exactly as typed</source>
        <translation>Exactement tels que saisis</translation>
    </message>
    <message>
        <source>Notify when an answer is ready</source>
        <translation>Avertir quand une réponse est prête</translation>
    </message>
    <message>
        <source>While you work in another window.</source>
        <translation>Pendant que vous travaillez dans une autre fenêtre.</translation>
    </message>
    <message>
        <source>Desktop</source>
        <translation>Bureau</translation>
    </message>
    <message>
        <source>If it took 10 seconds</source>
        <translation>Si elle a pris au moins 10 secondes</translation>
    </message>
    <message>
        <source>Icon in the tray</source>
        <translation>Icône dans la zone de notification</translation>
    </message>
    <message>
        <source>system tray status close minimise background</source>
        <translation>zone notification système état fermer réduire arrière-plan</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>Afficher</translation>
    </message>
    <message>
        <source>Show, and keep running in it</source>
        <translation>Afficher, et y garder ChatDesk actif</translation>
    </message>
    <message>
        <source>Start when you log in</source>
        <translation>Démarrer à l’ouverture de session</translation>
    </message>
    <message>
        <source>autostart boot</source>
        <translation>démarrage automatique</translation>
    </message>
    <message>
        <source>When you delete a message</source>
        <translation>Quand vous supprimez un message</translation>
    </message>
    <message>
        <source>Ask about later ones</source>
        <translation>Demander pour les suivants</translation>
    </message>
    <message>
        <source>Delete only that one</source>
        <translation>Supprimer seulement celui-là</translation>
    </message>
    <message>
        <source>Delete later ones too</source>
        <translation>Supprimer aussi les suivants</translation>
    </message>
    <message>
        <source>Look for a new version once a day</source>
        <translation>Rechercher une nouvelle version une fois par jour</translation>
    </message>
    <message>
        <source>The portable program only; “Updates…” says how yours is updated.</source>
        <translation>Programme portable seulement&#xa0;; «&#xa0;Mises à jour…&#xa0;» indique comment le vôtre est mis à jour.</translation>
    </message>
    <message>
        <source>Updates</source>
        <translation>Mises à jour</translation>
    </message>
    <message>
        <source>update upgrade release</source>
        <translation>mise à jour actualiser nouvelle version</translation>
    </message>
    <message>
        <source>A page is either around a message, or before or after one.</source>
        <translation>Une page se situe autour d’un message, avant lui ou après lui.</translation>
    </message>
    <message>
        <source>Only your own messages can be edited.</source>
        <translation>Seuls vos propres messages peuvent être modifiés.</translation>
    </message>
    <message>
        <source>Only an answer can get a version of this kind.</source>
        <translation>Seule une réponse peut recevoir une version de ce type.</translation>
    </message>
    <message>
        <source>Only an answer that stopped before its end can be continued.</source>
        <translation>Seule une réponse arrêtée avant sa fin peut être continuée.</translation>
    </message>
    <message>
        <source>Personal</source>
        <translation>Personnel</translation>
    </message>
    <message>
        <source>This project is in the trash.</source>
        <translation>Ce projet est dans la corbeille.</translation>
    </message>
    <message>
        <source>This is the last project, and new threads need one.</source>
        <translation>C’est le dernier projet, et il en faut un pour les nouvelles conversations.</translation>
    </message>
    <message>
        <source>Make another one first.</source>
        <translation>Créez-en d’abord un autre.</translation>
    </message>
    <message>
        <source>A project needs a name.</source>
        <translation>Un projet doit avoir un nom.</translation>
    </message>
    <message>
        <source>A project&apos;s name has at most {longest_name} characters.</source>
        <translation>Le nom d’un projet compte au plus {longest_name} caractères.</translation>
    </message>
    <message>
        <source>Choose a shorter one.</source>
        <translation>Choisissez-en un plus court.</translation>
    </message>
    <message>
        <source>This answer is not waiting to be started.</source>
        <translation>Cette réponse n’est pas en attente de démarrage.</translation>
    </message>
    <message>
        <source>This answer has ended; nothing can be added to it.</source>
        <translation>Cette réponse est terminée&#xa0;; rien ne peut y être ajouté.</translation>
    </message>
    <message>
        <source>A turn cannot end in a state that is not final.</source>
        <translation>Un échange ne peut pas se terminer dans un état qui n’est pas final.</translation>
    </message>
    <message>
        <source>This answer has ended already.</source>
        <translation>Cette réponse est déjà terminée.</translation>
    </message>
    <message>
        <source>There is a tag “{key}” already.</source>
        <translation>Il y a déjà une étiquette «&#xa0;{key}&#xa0;».</translation>
    </message>
    <message>
        <source>Choose another name.</source>
        <translation>Choisissez un autre nom.</translation>
    </message>
    <message>
        <source>A tag needs a name.</source>
        <translation>Une étiquette doit avoir un nom.</translation>
    </message>
    <message>
        <source>A tag&apos;s name has at most {longest_name} characters.</source>
        <translation>Le nom d’une étiquette compte au plus {longest_name} caractères.</translation>
    </message>
    <message>
        <source>There is no tag with that id.</source>
        <translation>Aucune étiquette n’a cet identifiant.</translation>
    </message>
    <message>
        <source>There is another tag “{name}” now.</source>
        <translation>Il y a maintenant une autre étiquette «&#xa0;{name}&#xa0;».</translation>
    </message>
    <message>
        <source>Rename that one and try again.</source>
        <translation>Renommez celle-là et réessayez.</translation>
    </message>
    <message>
        <source>That is not a place in the list.</source>
        <translation>Cette position n’existe pas dans la liste.</translation>
    </message>
    <message>
        <source>Start from the first page.</source>
        <translation>Recommencez à la première page.</translation>
    </message>
    <message>
        <source>The text of this message was removed for good after its time in the trash.</source>
        <translation>Le texte de ce message a été supprimé définitivement à l’issue de son séjour dans la corbeille.</translation>
    </message>
    <message>
        <source>{thread_ids} of {thread_ids_2} threads are not, or no longer, in the trash.</source>
        <translation>{thread_ids} conversations sur {thread_ids_2} ne sont pas, ou plus, dans la corbeille.</translation>
    </message>
    <message>
        <source>Select those that are and try again.</source>
        <translation>Sélectionnez celles qui y sont et réessayez.</translation>
    </message>
    <message>
        <source>The backup that was just made is damaged, so it was not kept.</source>
        <translation>La sauvegarde qui vient d’être faite est endommagée, elle n’a donc pas été gardée.</translation>
    </message>
    <message>
        <source>The backup that was just made is not complete, so it was not kept.</source>
        <translation>La sauvegarde qui vient d’être faite n’est pas complète, elle n’a donc pas été gardée.</translation>
    </message>
    <message>
        <source>The database is not open.</source>
        <translation>La base de données n’est pas ouverte.</translation>
    </message>
    <message>
        <source>The database is closed.</source>
        <translation>La base de données est fermée.</translation>
    </message>
    <message>
        <source>ChatDesk is reading this database while another program writes to it.</source>
        <translation>ChatDesk lit cette base de données pendant qu’un autre programme y écrit.</translation>
    </message>
    <message>
        <source>The database {path} could not be used.</source>
        <translation>La base de données {path} n’a pas pu être utilisée.</translation>
    </message>
    <message>
        <source>Another program is using the database {path}.</source>
        <translation>Un autre programme utilise la base de données {path}.</translation>
    </message>
    <message>
        <source>The database {path} cannot be written to.</source>
        <translation>Impossible d’écrire dans la base de données {path}.</translation>
    </message>
    <message>
        <source>The database file {path} is damaged.</source>
        <translation>Le fichier de base de données {path} est endommagé.</translation>
    </message>
    <message>
        <source>The disk of {folder} is full, so this could not be saved.</source>
        <translation>Le disque de {folder} est plein, cela n’a donc pas pu être enregistré.</translation>
    </message>
    <message>
        <source>The disk reported an error while {file} was used.</source>
        <translation>Le disque a signalé une erreur pendant l’utilisation de {file}.</translation>
    </message>
    <message>
        <source>the database</source>
        <translation>la base de données</translation>
    </message>
    <message>
        <source>What was saved before is unchanged; what was not confirmed counts as not saved.</source>
        <translation>Ce qui était enregistré est inchangé&#xa0;; ce qui n’a pas été confirmé est considéré comme non enregistré.</translation>
    </message>
    <message>
        <source>Check the disk and its free space, then try again.</source>
        <translation>Vérifiez le disque et sa place libre, puis réessayez.</translation>
    </message>
    <message>
        <source>Change its owner or permissions, or choose another data directory.</source>
        <translation>Changez son propriétaire ou ses droits, ou choisissez un autre dossier de données.</translation>
    </message>
    <message>
        <source>{path} is a directory, not a database file.</source>
        <translation>{path} est un dossier, pas un fichier de base de données.</translation>
    </message>
    <message>
        <source>Choose another data directory.</source>
        <translation>Choisissez un autre dossier de données.</translation>
    </message>
    <message>
        <source>{path} is not a file, so it is no database.</source>
        <translation>{path} n’est pas un fichier, donc pas une base de données.</translation>
    </message>
    <message>
        <source>The directory {parent} does not exist.</source>
        <translation>Le dossier {parent} n’existe pas.</translation>
    </message>
    <message>
        <source>Create it or choose another one.</source>
        <translation>Créez-le ou choisissez-en un autre.</translation>
    </message>
    <message>
        <source>The database file {path} may not be opened by this user.</source>
        <translation>Cet utilisateur n’a pas le droit d’ouvrir le fichier de base de données {path}.</translation>
    </message>
    <message>
        <source>The directory {parent} may not be read by this user.</source>
        <translation>Cet utilisateur n’a pas le droit de lire le dossier {parent}.</translation>
    </message>
    <message>
        <source>No database can be created in {parent}.</source>
        <translation>Aucune base de données ne peut être créée dans {parent}.</translation>
    </message>
    <message>
        <source>The database file {path} cannot be opened.</source>
        <translation>Le fichier de base de données {path} ne peut pas être ouvert.</translation>
    </message>
    <message>
        <source>the last changes</source>
        <translation>les dernières modifications</translation>
    </message>
    <message>
        <source>The database is older than it was when ChatDesk last saved: {lost} may be missing. This happens when a backup was restored, or when a file was lost. Nothing else was changed. Look for a newer backup in the backup directory if you did not restore one yourself.</source>
        <translation>La base de données est plus ancienne qu’au dernier enregistrement de ChatDesk&#xa0;: il manque peut-être {lost}. Cela arrive quand une sauvegarde a été restaurée, ou quand un fichier a été perdu. Rien d’autre n’a été modifié. Recherchez une sauvegarde plus récente dans le dossier des sauvegardes si vous n’en avez pas restauré une vous-même.</translation>
    </message>
    <message>
        <source>This data belongs to a newer ChatDesk (schema {revision}, here {head_revision}), so this one can only read it.</source>
        <translation>Ces données appartiennent à un ChatDesk plus récent (schéma {revision}, ici {head_revision}), celui-ci ne peut donc que les lire.</translation>
    </message>
    <message>
        <source>You can read, search, copy and export your threads; nothing is changed.</source>
        <translation>Vous pouvez lire, rechercher, copier et exporter vos conversations&#xa0;; rien n’est modifié.</translation>
    </message>
    <message>
        <source>Update ChatDesk to continue writing, or restore the backup from before the upgrade (Help, Upgrades and the way back).</source>
        <translation>Mettez ChatDesk à jour pour continuer à écrire, ou restaurez la sauvegarde d’avant la mise à niveau (Aide, Mises à niveau et retour en arrière).</translation>
    </message>
    <message>
        <source>This database has schema version {revision}; this ChatDesk knows versions up to {head_revision}, and cannot read it: “{lacking}” is not there as it knows it.</source>
        <translation>Cette base de données a la version de schéma {revision}&#xa0;; ce ChatDesk connaît les versions jusqu’à {head_revision}, et ne peut pas la lire&#xa0;: «&#xa0;{lacking}&#xa0;» n’y existe pas sous la forme attendue.</translation>
    </message>
    <message>
        <source>This request was carried out before, and its result is no longer known.</source>
        <translation>Cette demande a déjà été exécutée, et son résultat n’est plus connu.</translation>
    </message>
    <message>
        <source>This was done before.</source>
        <translation>Cela a déjà été fait.</translation>
    </message>
    <message>
        <source>Nothing was done twice.</source>
        <translation>Rien n’a été fait deux fois.</translation>
    </message>
    <message>
        <source>This was changed by somebody else in the meantime.</source>
        <translation>Quelqu’un d’autre a modifié ceci entre-temps.</translation>
    </message>
    <message>
        <source>Look at the current state, then make your change again.</source>
        <translation>Consultez l’état actuel, puis refaites votre modification.</translation>
    </message>
    <message>
        <source>The database contains something that ChatDesk did not put there: {first}{more}.</source>
        <translation>La base de données contient quelque chose que ChatDesk n’y a pas mis&#xa0;: {first}{more}.</translation>
    </message>
    <message>
        <source>None of it was used, and the file was left as it is.</source>
        <translation>Rien n’en a été utilisé, et le fichier est resté tel quel.</translation>
    </message>
    <message>
        <source>Run &apos;chatdesk doctor --repair&apos;: it copies your messages into a new database and keeps this one.</source>
        <translation>Exécutez «&#xa0;chatdesk doctor --repair&#xa0;»&#xa0;: il copie vos messages dans une nouvelle base et garde celle-ci.</translation>
    </message>
    <message>
        <source>The file is a database, but not one of ChatDesk&apos;s.</source>
        <translation>Le fichier est une base de données, mais pas une base de ChatDesk.</translation>
    </message>
    <message>
        <source>The database does not say which version its schema has, so it is damaged.</source>
        <translation>La base de données n’indique pas la version de son schéma&#xa0;; elle est donc endommagée.</translation>
    </message>
    <message>
        <source>This database has schema version {revision}, from before the first release.</source>
        <translation>Cette base de données a la version de schéma {revision}, antérieure à la première version publiée.</translation>
    </message>
    <message>
        <source>This database has schema version {revision}; this ChatDesk knows versions up to {head_revision}.</source>
        <translation>Cette base de données a la version de schéma {revision}&#xa0;; ce ChatDesk connaît les versions jusqu’à {head_revision}.</translation>
    </message>
    <message>
        <source>The database could not be upgraded from schema version {revision} to {head_revision}.</source>
        <translation>La base de données n’a pas pu être mise à niveau de la version de schéma {revision} vers {head_revision}.</translation>
    </message>
    <message>
        <source>It was left as it was and can be read; a verified backup is at {saved}.</source>
        <translation>Elle est restée telle quelle et peut être lue&#xa0;; une sauvegarde vérifiée se trouve dans {saved}.</translation>
    </message>
    <message>
        <source>The database file is damaged, so it was not upgraded.</source>
        <translation>Le fichier de base de données est endommagé, il n’a donc pas été mis à niveau.</translation>
    </message>
    <message>
        <source>The database must be upgraded, which needs {needed} MB of free space; there are {free} MB.</source>
        <translation>La base de données doit être mise à niveau, ce qui demande {needed}&#xa0;Mo de place libre&#xa0;; {free}&#xa0;Mo sont disponibles.</translation>
    </message>
    <message>
        <source>The database was not touched.</source>
        <translation>La base de données n’a pas été modifiée.</translation>
    </message>
    <message>
        <source>Free some space; ChatDesk then continues by itself.</source>
        <translation>Libérez de la place&#xa0;; ChatDesk reprendra alors automatiquement.</translation>
    </message>
    <message>
        <source>The upgrade would have left rows that point to nothing, so it was undone.</source>
        <translation>La mise à niveau aurait laissé des lignes qui ne pointent vers rien, elle a donc été annulée.</translation>
    </message>
    <message>
        <source>The upgrade would have changed the number of rows in {changed}; it was undone.</source>
        <translation>La mise à niveau aurait modifié le nombre de lignes de {changed}&#xa0;; elle a été annulée.</translation>
    </message>
    <message numerus="yes">
        <source>delete {count} threads</source>
        <comment>delete thread</comment>
        <translation>
            <numerusform>supprimer la conversation</numerusform>
            <numerusform>supprimer {count} conversations</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>restore {count} threads</source>
        <comment>restore thread</comment>
        <translation>
            <numerusform>restaurer la conversation</numerusform>
            <numerusform>restaurer {count} conversations</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>tag {count} threads</source>
        <comment>tag thread</comment>
        <translation>
            <numerusform>étiqueter la conversation</numerusform>
            <numerusform>étiqueter {count} conversations</numerusform>
        </translation>
    </message>
    <message>
        <source>delete tag {name}</source>
        <translation>supprimer l’étiquette {name}</translation>
    </message>
    <message>
        <source>delete project {name}</source>
        <translation>supprimer le projet {name}</translation>
    </message>
    <message>
        <source>restore project {name}</source>
        <translation>restaurer le projet {name}</translation>
    </message>
    <message>
        <source>This thread is gone for good.</source>
        <translation>Cette conversation a été supprimée définitivement.</translation>
    </message>
    <message>
        <source>{missing} of {thread_ids} threads are gone for good.</source>
        <translation>{missing} conversations sur {thread_ids} ont été supprimées définitivement.</translation>
    </message>
    <message>
        <source>Select those that are left and try again.</source>
        <translation>Sélectionnez celles qui restent et réessayez.</translation>
    </message>
    <message numerus="yes">
        <source>{count} of {all} threads are in the trash.</source>
        <comment>{count} of {all} threads is in the trash.</comment>
        <translation>
            <numerusform>{count} conversation sur {all} est dans la corbeille.</numerusform>
            <numerusform>{count} conversations sur {all} sont dans la corbeille.</numerusform>
        </translation>
    </message>
    <message>
        <source>Restore them first, or select the others only.</source>
        <translation>Restaurez-les d’abord, ou ne sélectionnez que les autres.</translation>
    </message>
    <message>
        <source>A thread of a shared project cannot be moved out of it, because others have it, too.</source>
        <translation>Une conversation d’un projet partagé ne peut pas en être sortie, car d’autres l’ont aussi.</translation>
    </message>
    <message>
        <source>Export it, and import it into the other project.</source>
        <translation>Exportez-la, et importez-la dans l’autre projet.</translation>
    </message>
    <message>
        <source>The team knows this thread from the project it was shared in before.</source>
        <translation>L’équipe connaît cette conversation par le projet où elle était partagée auparavant.</translation>
    </message>
    <message>
        <source>Branch it at its last message, and move the branch.</source>
        <translation>Créez une branche à partir de son dernier message, et déplacez la branche.</translation>
    </message>
    <message>
        <source>This project is shared, so you cannot delete it.</source>
        <translation>Ce projet est partagé, vous ne pouvez donc pas le supprimer.</translation>
    </message>
    <message>
        <source>Stop sharing it first; then delete your copy.</source>
        <translation>Arrêtez d’abord le partage&#xa0;; supprimez ensuite votre copie.</translation>
    </message>
    <message>
        <source>This project is shared by others, so you cannot delete it.</source>
        <translation>Ce projet est partagé par d’autres, vous ne pouvez donc pas le supprimer.</translation>
    </message>
    <message>
        <source>Leave it first; then delete your copy.</source>
        <translation>Quittez-le d’abord&#xa0;; supprimez ensuite votre copie.</translation>
    </message>
    <message>
        <source>The library holds {most_prompts} prompts at most.</source>
        <translation>La bibliothèque contient au plus {most_prompts} prompts.</translation>
    </message>
    <message>
        <source>Delete some that you do not use.</source>
        <translation>Supprimez-en quelques-uns que vous n’utilisez pas.</translation>
    </message>
    <message>
        <source>The last changes cannot be shown: they are in the database&apos;s log, which can only be read where files can be created. Nothing was changed. Make the data directory writable, or copy it to a place that is, and start ChatDesk again.</source>
        <translation>Les dernières modifications ne peuvent pas être affichées&#xa0;: elles sont dans le journal de la base, qui ne se lit que là où des fichiers peuvent être créés. Rien n’a été modifié. Rendez le dossier de données inscriptible, ou copiez-le là où il l’est, et redémarrez ChatDesk.</translation>
    </message>
    <message>
        <source>The disk of {directory} is full, so ChatDesk can only read.</source>
        <translation>Le disque de {directory} est plein, ChatDesk est donc en lecture seule.</translation>
    </message>
    <message>
        <source>There is no database at {path}.</source>
        <translation>Il n’y a pas de base de données à l’emplacement {path}.</translation>
    </message>
    <message>
        <source>Nothing was created.</source>
        <translation>Rien n’a été créé.</translation>
    </message>
    <message>
        <source>Start ChatDesk once, or choose another --data-dir.</source>
        <translation>Démarrez ChatDesk une fois, ou choisissez un autre --data-dir.</translation>
    </message>
    <message>
        <source>No project is called “{value}”.</source>
        <translation>Aucun projet ne s’appelle «&#xa0;{value}&#xa0;».</translation>
    </message>
    <message>
        <source>No tag is called “{value}”.</source>
        <translation>Aucune étiquette ne s’appelle «&#xa0;{value}&#xa0;».</translation>
    </message>
    <message>
        <source>This data belongs to a newer ChatDesk, whose search index this one cannot read.</source>
        <translation>Ces données appartiennent à un ChatDesk plus récent, dont celui-ci ne peut pas lire l’index de recherche.</translation>
    </message>
    <message>
        <source>The search index is damaged and is being rebuilt. Your messages are not affected.</source>
        <translation>L’index de recherche est endommagé et en cours de reconstruction. Vos messages ne sont pas concernés.</translation>
    </message>
    <message>
        <source>Nobody else has this: its project is not shared.</source>
        <translation>Personne d’autre n’a ceci&#xa0;: son projet n’est pas partagé.</translation>
    </message>
    <message>
        <source>Delete it, and empty the trash.</source>
        <translation>Supprimez-le, et videz la corbeille.</translation>
    </message>
    <message>
        <source>You wrote none of this, so you cannot erase it for everybody.</source>
        <translation>Rien de ceci n’est de vous, vous ne pouvez donc pas l’effacer pour tous.</translation>
    </message>
    <message>
        <source>Ask an owner or admin of the project, who may erase what others wrote.</source>
        <translation>Adressez-vous à un propriétaire ou administrateur du projet, qui peut effacer ce que d’autres ont écrit.</translation>
    </message>
    <message>
        <source>Your role in this project does not permit it. Ask one of its owners for another role, then try again.</source>
        <translation>Votre rôle dans ce projet ne le permet pas. Demandez un autre rôle à l’un de ses propriétaires, puis réessayez.</translation>
    </message>
    <message>
        <source>The thread or message that this belongs to is not on the team&apos;s server. Copy the text out to keep it elsewhere.</source>
        <translation>La conversation ou le message auquel ceci appartient n’est pas sur le serveur de l’équipe. Copiez le texte ailleurs pour le garder.</translation>
    </message>
    <message>
        <source>The team&apos;s server has something else in this place. Copy it out to keep it elsewhere.</source>
        <translation>Le serveur de l’équipe a autre chose à cet endroit. Copiez-le ailleurs pour le garder.</translation>
    </message>
    <message>
        <source>This is larger than the {max_body_bytes} MB that the team&apos;s server takes in one change. Copy it out, or write it in parts.</source>
        <translation>Ceci dépasse les {max_body_bytes}&#xa0;Mo que le serveur de l’équipe accepte en une modification. Copiez-le, ou écrivez-le en plusieurs parties.</translation>
    </message>
    <message>
        <source>Another member wrote something else here at the same time, which everybody sees. Try again to put this in its place, or copy it out.</source>
        <translation>Un autre membre a écrit autre chose ici au même moment, et tout le monde le voit. Réessayez pour mettre ceci à sa place, ou copiez-le.</translation>
    </message>
    <message>
        <source>The team&apos;s server did not take this. Try again, or copy it out.</source>
        <translation>Le serveur de l’équipe ne l’a pas accepté. Réessayez, ou copiez-le ailleurs.</translation>
    </message>
    <message>
        <source>There is no text in these changes that could be copied.</source>
        <translation>Ces modifications ne contiennent aucun texte à copier.</translation>
    </message>
    <message>
        <source>This project is shared already.</source>
        <translation>Ce projet est déjà partagé.</translation>
    </message>
    <message>
        <source>{deleted_by} deleted this thread; it is back because {by} wrote in it at the same time.</source>
        <translation>{deleted_by} a supprimé cette conversation&#xa0;; elle a été rétablie, car {by} y a écrit au même moment.</translation>
    </message>
    <message>
        <source>{deleted_by} deleted a message here; it is back because {by} wrote below it at the same time.</source>
        <translation>{deleted_by} a supprimé un message ici&#xa0;; il a été rétabli, car {by} a écrit en dessous au même moment.</translation>
    </message>
    <message>
        <source>Messages are kept for 1 to {longest_retention_days} days.</source>
        <translation>Les messages sont conservés de 1 à {longest_retention_days} jours.</translation>
    </message>
    <message>
        <source>The daily backup was not made: it needs {needed} MB, {free} MB are free.</source>
        <translation>La sauvegarde du jour n’a pas été faite&#xa0;: elle demande {needed}&#xa0;Mo, et seuls {free}&#xa0;Mo sont libres.</translation>
    </message>
    <message>
        <source>Your messages are kept, and so are the older backups.</source>
        <translation>Vos messages sont conservés, les sauvegardes plus anciennes aussi.</translation>
    </message>
    <message>
        <source>Free some space; ChatDesk tries again within the hour.</source>
        <translation>Libérez de la place&#xa0;; ChatDesk réessaiera dans l’heure.</translation>
    </message>
    <message>
        <source>no backup</source>
        <translation>aucune sauvegarde</translation>
    </message>
    <message>
        <source>Your messages and the older backups are unchanged.</source>
        <translation>Vos messages et les sauvegardes plus anciennes sont inchangés.</translation>
    </message>
    <message>
        <source>Check the disk; ChatDesk tries again within the hour.</source>
        <translation>Vérifiez le disque&#xa0;; ChatDesk réessaiera dans l’heure.</translation>
    </message>
    <message>
        <source>{name} is not a complete backup of ChatDesk.</source>
        <translation>{name} n’est pas une sauvegarde complète de ChatDesk.</translation>
    </message>
    <message>
        <source>Choose another backup.</source>
        <translation>Choisissez une autre sauvegarde.</translation>
    </message>
    <message>
        <source>There is no backup at {path}.</source>
        <translation>Il n’y a pas de sauvegarde à l’emplacement {path}.</translation>
    </message>
    <message>
        <source>The daily check found damage in the database file.</source>
        <translation>La vérification du jour a détecté des dommages dans le fichier de la base.</translation>
    </message>
    <message>
        <source>Nothing was changed, and what you see can still be read; there is no backup yet.</source>
        <translation>Rien n’a été modifié, et ce que vous voyez peut toujours être lu&#xa0;; il n’y a pas encore de sauvegarde.</translation>
    </message>
    <message>
        <source>Export the threads you need, then run &apos;chatdesk doctor&apos; for details.</source>
        <translation>Exportez les conversations dont vous avez besoin, puis exécutez «&#xa0;chatdesk doctor&#xa0;» pour les détails.</translation>
    </message>
    <message>
        <source>Nothing was changed. The newest good backup is {path}.</source>
        <translation>Rien n’a été modifié. La sauvegarde intacte la plus récente est {path}.</translation>
    </message>
    <message>
        <source>Export what is newer than that, then restore the backup: Settings, Data and backup, or &apos;chatdesk restore&apos;.</source>
        <translation>Exportez ce qui est plus récent, puis restaurez la sauvegarde&#xa0;: Paramètres, Données et sauvegarde, ou «&#xa0;chatdesk restore&#xa0;».</translation>
    </message>
    <message>
        <source>Project {project} is in the trash, but not all of its threads are.</source>
        <translation>Le projet {project} est dans la corbeille, mais pas toutes ses conversations.</translation>
    </message>
    <message>
        <source>Messages of thread {thread} are out of place.</source>
        <translation>Des messages de la conversation {thread} ne sont pas à leur place.</translation>
    </message>
    <message>
        <source>In thread {thread} a message that is chosen below another is not below it.</source>
        <translation>Dans la conversation {thread}, un message choisi sous un autre ne se trouve pas sous celui-ci.</translation>
    </message>
    <message>
        <source>The choice of shown messages of thread {thread} is broken.</source>
        <translation>Dans la conversation {thread}, le choix des messages affichés est endommagé.</translation>
    </message>
    <message>
        <source>The file of part {part} is missing in the list of files.</source>
        <translation>Le fichier de la partie {part} manque dans la liste des fichiers.</translation>
    </message>
    <message numerus="yes">
        <source>{count} projects with threads outside the trash were taken out of the trash.</source>
        <comment>{count} project with threads outside the trash was taken out of the trash.</comment>
        <translation>
            <numerusform>{count} projet qui a des conversations hors de la corbeille en a été sorti.</numerusform>
            <numerusform>{count} projets qui ont des conversations hors de la corbeille en ont été sortis.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The messages of {count} threads were put in their places again.</source>
        <comment>The messages of {count} thread were put in their places again.</comment>
        <translation>
            <numerusform>Les messages de {count} conversation ont été remis à leur place.</numerusform>
            <numerusform>Les messages de {count} conversations ont été remis à leur place.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Choices of versions that led nowhere were removed in {count} threads.</source>
        <comment>Choices of versions that led nowhere were removed in {count} thread.</comment>
        <translation>
            <numerusform>Des choix de versions qui ne menaient nulle part ont été supprimés dans {count} conversation.</numerusform>
            <numerusform>Des choix de versions qui ne menaient nulle part ont été supprimés dans {count} conversations.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The choice of shown messages was repaired in {count} threads.</source>
        <comment>The choice of shown messages was repaired in {count} thread.</comment>
        <translation>
            <numerusform>Le choix des messages affichés a été réparé dans {count} conversation.</numerusform>
            <numerusform>Le choix des messages affichés a été réparé dans {count} conversations.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} attached files were entered in the list of files again, from which they were missing.</source>
        <comment>{count} attached file was entered in the list of files again, from which it was missing.</comment>
        <translation>
            <numerusform>{count} fichier joint qui manquait dans la liste des fichiers y a été réinscrit.</numerusform>
            <numerusform>{count} fichiers joints qui manquaient dans la liste des fichiers y ont été réinscrits.</numerusform>
        </translation>
    </message>
    <message>
        <source>The database as it was before the repair is kept at {kept}.</source>
        <translation>La base de données telle qu’elle était avant la réparation est conservée dans {kept}.</translation>
    </message>
    <message>
        <source>Nothing was wrong.</source>
        <translation>Il n’y avait rien d’anormal.</translation>
    </message>
    <message>
        <source>The file is too damaged for SQLite to check it.</source>
        <translation>Le fichier est trop endommagé pour que SQLite le vérifie.</translation>
    </message>
    <message>
        <source>The search index was rebuilt; it is filled in the background.</source>
        <translation>L’index de recherche a été reconstruit&#xa0;; il se remplit en arrière-plan.</translation>
    </message>
    <message numerus="yes">
        <source>The last shown message was determined again in {count} threads.</source>
        <comment>The last shown message was determined again in {count} thread.</comment>
        <translation>
            <numerusform>Le dernier message affiché a été recalculé dans {count} conversation.</numerusform>
            <numerusform>Le dernier message affiché a été recalculé dans {count} conversations.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The counters of {count} threads were corrected.</source>
        <comment>The counters of {count} thread were corrected.</comment>
        <translation>
            <numerusform>Les compteurs de {count} conversation ont été corrigés.</numerusform>
            <numerusform>Les compteurs de {count} conversations ont été corrigés.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads whose project is missing were moved to a private project.</source>
        <comment>{count} thread whose project is missing was moved to a private project.</comment>
        <translation>
            <numerusform>{count} conversation dont le projet manque a été déplacée dans un projet privé.</numerusform>
            <numerusform>{count} conversations dont le projet manque ont été déplacées dans un projet privé.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages whose previous message is missing now begin a version of their own.</source>
        <comment>{count} message whose previous message is missing now begins a version of its own.</comment>
        <translation>
            <numerusform>{count} message dont le message précédent manque commence maintenant sa propre version.</numerusform>
            <numerusform>{count} messages dont le message précédent manque commencent maintenant leur propre version.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} drafts whose thread is missing were added to the draft of a new thread.</source>
        <comment>{count} draft whose thread is missing was added to the draft of a new thread.</comment>
        <translation>
            <numerusform>{count} brouillon dont la conversation manque a été ajouté au brouillon d’une nouvelle conversation.</numerusform>
            <numerusform>{count} brouillons dont la conversation manque ont été ajoutés au brouillon d’une nouvelle conversation.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} rows of {table} that belonged to nothing were removed.</source>
        <comment>{count} row of {table} that belonged to nothing was removed.</comment>
        <translation>
            <numerusform>{count} ligne de {table} qui n’appartenait à rien a été supprimée.</numerusform>
            <numerusform>{count} lignes de {table} qui n’appartenaient à rien ont été supprimées.</numerusform>
        </translation>
    </message>
    <message>
        <source>The search index is damaged.</source>
        <translation>L’index de recherche est endommagé.</translation>
    </message>
    <message>
        <source>The file itself is damaged (problems found: {found}), so nothing was changed in it.</source>
        <translation>Le fichier lui-même est endommagé (problèmes trouvés&#xa0;: {found}), rien n’y a donc été modifié.</translation>
    </message>
    <message>
        <source>It was left as it is; a backup may still have the original.</source>
        <translation>L’élément est resté tel quel&#xa0;; une sauvegarde contient peut-être encore l’original.</translation>
    </message>
    <message>
        <source>A backup made with &apos;chatdesk backup FILE&apos; contains it, if it was made in time.</source>
        <translation>Une sauvegarde faite avec «&#xa0;chatdesk backup FILE&#xa0;» le contient, si elle a été faite à temps.</translation>
    </message>
    <message>
        <source>It could not be repaired.</source>
        <translation>Cela n’a pas pu être réparé.</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads that had lost title and settings are called “{recovered_title}”.</source>
        <comment>{count} thread that had lost title and settings is called “{recovered_title}”.</comment>
        <translation>
            <numerusform>{count} conversation qui avait perdu titre et réglages s’appelle «&#xa0;{recovered_title}&#xa0;».</numerusform>
            <numerusform>{count} conversations qui avaient perdu titre et réglages s’appellent «&#xa0;{recovered_title}&#xa0;».</numerusform>
        </translation>
    </message>
    <message>
        <source>Press Connect again in Settings, Team sync, or run &apos;chatdesk team join&apos;: then what was lost of shared projects is fetched from the team&apos;s server as far as it is there.</source>
        <translation>Appuyez sur «&#xa0;Se reconnecter&#xa0;» dans Paramètres, Synchronisation d’équipe, ou exécutez «&#xa0;chatdesk team join&#xa0;»&#xa0;: ce qui a été perdu des projets partagés sera alors récupéré sur le serveur de l’équipe, s’il s’y trouve.</translation>
    </message>
    <message>
        <source>Restore a backup, or close ChatDesk and run &apos;chatdesk doctor --repair&apos;, which copies what can still be read.</source>
        <translation>Restaurez une sauvegarde, ou fermez ChatDesk et exécutez «&#xa0;chatdesk doctor --repair&#xa0;», qui copie ce qui peut encore être lu.</translation>
    </message>
    <message>
        <source>{name} needs more time or memory than a backup of its size should, so ChatDesk stopped reading it.</source>
        <translation>{name} demande plus de temps ou de mémoire qu’une sauvegarde de cette taille ne le devrait, ChatDesk a donc arrêté la lecture.</translation>
    </message>
    <message>
        <source>Checking the backup needs up to {needed} MB; {free} MB are free.</source>
        <translation>Vérifier la sauvegarde demande jusqu’à {needed}&#xa0;Mo&#xa0;; {free}&#xa0;Mo sont libres.</translation>
    </message>
    <message>
        <source>{name} would fill the disk if it were unpacked, so it was not.</source>
        <translation>{name} remplirait le disque une fois décompressé, il ne l’a donc pas été.</translation>
    </message>
    <message>
        <source>There is not enough room on the disk for the contents of the backup.</source>
        <translation>Il n’y a pas assez de place sur le disque pour le contenu de la sauvegarde.</translation>
    </message>
    <message>
        <source>This backup was written by a newer ChatDesk.</source>
        <translation>Cette sauvegarde a été écrite par un ChatDesk plus récent.</translation>
    </message>
    <message>
        <source>Update ChatDesk to restore it.</source>
        <translation>Mettez ChatDesk à jour pour la restaurer.</translation>
    </message>
    <message>
        <source>{name} contains something that ChatDesk did not put there: {first}{more}.</source>
        <translation>{name} contient quelque chose que ChatDesk n’y a pas mis&#xa0;: {first}{more}.</translation>
    </message>
    <message>
        <source>{name} is damaged: some messages are replies to themselves.</source>
        <translation>{name} est endommagé&#xa0;: certains messages sont des réponses à eux-mêmes.</translation>
    </message>
    <message>
        <source>the column {column} of the table {table}</source>
        <translation>la colonne {column} de la table {table}</translation>
    </message>
    <message>
        <source>the table {table}</source>
        <translation>la table {table}</translation>
    </message>
    <message>
        <source>{name} is not a complete backup of ChatDesk: {lack} is missing.</source>
        <translation>{name} n’est pas une sauvegarde complète de ChatDesk&#xa0;: il manque {lack}.</translation>
    </message>
    <message>
        <source>Nothing could be read from the damaged database.</source>
        <translation>Rien n’a pu être lu de la base endommagée.</translation>
    </message>
    <message>
        <source>It was left as it is.</source>
        <translation>Elle est restée telle quelle.</translation>
    </message>
    <message>
        <source>Restore the newest backup.</source>
        <translation>Restaurez la sauvegarde la plus récente.</translation>
    </message>
    <message>
        <source>Messages that could not be read but whose text was recovered in place: {placed}.</source>
        <translation>Messages qui n’ont pas pu être lus, mais dont le texte a été récupéré à sa place&#xa0;: {placed}.</translation>
    </message>
    <message>
        <source>Recovered texts whose messages are lost, now in the thread “{title}”: {apart}.</source>
        <translation>Textes récupérés dont les messages sont perdus, maintenant dans la conversation «&#xa0;{title}&#xa0;»&#xa0;: {apart}.</translation>
    </message>
    <message>
        <source>Putting in order what was copied…</source>
        <translation>Mise en ordre de ce qui a été copié…</translation>
    </message>
    <message>
        <source>Problems that are left: {wrong}; &apos;chatdesk doctor&apos; lists them.</source>
        <translation>Problèmes restants&#xa0;: {wrong}&#xa0;; «&#xa0;chatdesk doctor&#xa0;» les liste.</translation>
    </message>
    <message>
        <source>{name}: the table could not be found in the file.</source>
        <translation>{name}&#xa0;: la table est introuvable dans le fichier.</translation>
    </message>
    <message>
        <source>{name}: the table had lost its definition.</source>
        <translation>{name}&#xa0;: la table avait perdu sa définition.</translation>
    </message>
    <message>
        <source>Reading {name}: {number} rows…</source>
        <translation>Lecture de {name}&#xa0;: {number} lignes…</translation>
    </message>
    <message numerus="yes">
        <source>{name}: {count} rows had values that could not be read.</source>
        <comment>{name}: {count} row had values that could not be read.</comment>
        <translation>
            <numerusform>{name}&#xa0;: {count} ligne avait des valeurs illisibles.</numerusform>
            <numerusform>{name}&#xa0;: {count} lignes avaient des valeurs illisibles.</numerusform>
        </translation>
    </message>
    <message>
        <source>{name}: this is not a table of ChatDesk, so it was left out.</source>
        <translation>{name}&#xa0;: ce n’est pas une table de ChatDesk, elle a donc été ignorée.</translation>
    </message>
    <message numerus="yes">
        <source>{count} places</source>
        <comment>{count} place</comment>
        <translation>
            <numerusform>{count} endroit</numerusform>
            <numerusform>{count} endroits</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}: {count} rows were copied; {places} could not be read.</source>
        <comment>{name}: {count} row was copied; {places} could not be read.</comment>
        <translation>
            <numerusform>{name}&#xa0;: {count} ligne a été copiée&#xa0;; lecture impossible à {places}.</numerusform>
            <numerusform>{name}&#xa0;: {count} lignes ont été copiées&#xa0;; lecture impossible à {places}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}: {count} rows were copied; {left_out} that are there twice or make no sense were not.</source>
        <comment>{name}: {count} row was copied; {left_out} that are there twice or make no sense were not.</comment>
        <translation>
            <numerusform>{name}&#xa0;: {count} ligne a été copiée&#xa0;; {left_out}, en double ou dépourvues de sens, ne l’ont pas été.</numerusform>
            <numerusform>{name}&#xa0;: {count} lignes ont été copiées&#xa0;; {left_out}, en double ou dépourvues de sens, ne l’ont pas été.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}: all {count} rows were copied.</source>
        <comment>{name}: the {count} row was copied.</comment>
        <translation>
            <numerusform>{name}&#xa0;: toutes les lignes ont été copiées ({count}).</numerusform>
            <numerusform>{name}&#xa0;: toutes les lignes ont été copiées ({count}).</numerusform>
        </translation>
    </message>
    <message>
        <source>The invitation names the server “{host}”, which only this computer reaches. Give the workspace a name or IP address that others reach before you invite anybody: Settings, Team sync, Address.</source>
        <translation>L’invitation indique le serveur «&#xa0;{host}&#xa0;», que seul cet ordinateur peut joindre. Donnez à l’espace de travail un nom ou une adresse IP accessible aux autres avant d’inviter quelqu’un&#xa0;: Paramètres, Synchronisation d’équipe, Adresse.</translation>
    </message>
    <message>
        <source>The invitation names the server “{host}”, which is found in your own network only. Whoever is elsewhere needs a way into it, such as a VPN.</source>
        <translation>L’invitation indique le serveur «&#xa0;{host}&#xa0;», qui ne se trouve que dans votre propre réseau. Quiconque se trouve ailleurs a besoin d’un accès, par exemple un VPN.</translation>
    </message>
    <message>
        <source>That is not the address of a Postgres database.</source>
        <translation>Ce n’est pas l’adresse d’une base Postgres.</translation>
    </message>
    <message>
        <source>It looks like postgresql://name:password@db.example.org:5432/team; the server&apos;s operator shows it.</source>
        <translation>Elle ressemble à postgresql://name:password@db.example.org:5432/team&#xa0;; l’exploitant du serveur la fournit.</translation>
    </message>
    <message>
        <source>“{host}” is neither the name nor the IP address of a server.</source>
        <translation>«&#xa0;{host}&#xa0;» n’est ni le nom ni l’adresse IP d’un serveur.</translation>
    </message>
    <message>
        <source>A port is a number from 1 to 65535.</source>
        <translation>Un port est un nombre de 1 à 65535.</translation>
    </message>
    <message>
        <source>The name of the database is missing, or has characters that ChatDesk does not accept.</source>
        <translation>Le nom de la base manque, ou contient des caractères que ChatDesk n’accepte pas.</translation>
    </message>
    <message>
        <source>The name of the login is missing, or has characters that ChatDesk does not accept.</source>
        <translation>Le nom du compte manque, ou contient des caractères que ChatDesk n’accepte pas.</translation>
    </message>
    <message>
        <source>ChatDesk does not know this kind of encryption.</source>
        <translation>ChatDesk ne connaît pas ce type de chiffrement.</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s daily limit of text for each member.</source>
        <translation>Vous avez atteint la limite quotidienne de texte par membre de l’espace de travail.</translation>
    </message>
    <message>
        <source>This project has reached the workspace&apos;s daily limit of text for each project.</source>
        <translation>Ce projet a atteint la limite quotidienne de texte par projet de l’espace de travail.</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s daily limit of files for each member.</source>
        <translation>Vous avez atteint la limite quotidienne de fichiers par membre de l’espace de travail.</translation>
    </message>
    <message>
        <source>This project has reached the workspace&apos;s daily limit of files for each project.</source>
        <translation>Ce projet a atteint la limite quotidienne de fichiers par projet de l’espace de travail.</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s limit of changes a minute for each member.</source>
        <translation>Vous avez atteint la limite de modifications par minute et par membre de l’espace de travail.</translation>
    </message>
    <message>
        <source>ChatDesk continues by itself tomorrow (UTC). An owner of the workspace can raise the limit.</source>
        <translation>ChatDesk reprendra automatiquement demain (UTC). Un propriétaire de l’espace de travail peut relever la limite.</translation>
    </message>
    <message>
        <source>ChatDesk continues by itself in a minute.</source>
        <translation>ChatDesk reprendra automatiquement dans une minute.</translation>
    </message>
    <message>
        <source>The workspace has reached its limit of members.</source>
        <translation>L’espace de travail a atteint sa limite de membres.</translation>
    </message>
    <message>
        <source>An owner of the workspace can raise the limit, or remove somebody.</source>
        <translation>Un propriétaire de l’espace de travail peut relever la limite, ou retirer quelqu’un.</translation>
    </message>
    <message>
        <source>The workspace has reached its limit of open invitations.</source>
        <translation>L’espace de travail a atteint sa limite d’invitations ouvertes.</translation>
    </message>
    <message>
        <source>Withdraw some, or wait until they expire. An owner of the workspace can raise the limit.</source>
        <translation>Retirez-en quelques-unes, ou attendez qu’elles expirent. Un propriétaire de l’espace de travail peut relever la limite.</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s limit of shared projects for each member.</source>
        <translation>Vous avez atteint la limite de projets partagés par membre de l’espace de travail.</translation>
    </message>
    <message>
        <source>An owner of the workspace can raise the limit.</source>
        <translation>Un propriétaire de l’espace de travail peut relever la limite.</translation>
    </message>
    <message>
        <source>What the team&apos;s server sends does not fit what it sent before.</source>
        <translation>Ce que le serveur de l’équipe envoie ne correspond pas à ce qu’il a envoyé avant.</translation>
    </message>
    <message>
        <source>What was received before stays readable, and everything you wrote is kept on this computer.</source>
        <translation>Ce qui a été reçu avant reste lisible, et tout ce que vous avez écrit est conservé sur cet ordinateur.</translation>
    </message>
    <message>
        <source>The team&apos;s database cannot be reached.</source>
        <translation>La base de données de l’équipe est injoignable.</translation>
    </message>
    <message>
        <source>ChatDesk tries again by itself.</source>
        <translation>ChatDesk réessaie automatiquement.</translation>
    </message>
    <message>
        <source>The team&apos;s database is busy with another member&apos;s change.</source>
        <translation>La base de données de l’équipe est occupée par la modification d’un autre membre.</translation>
    </message>
    <message>
        <source>The team&apos;s database waits for an unfinished change of {by}.</source>
        <translation>La base de données de l’équipe attend une modification inachevée de {by}.</translation>
    </message>
    <message>
        <source>{next_step} If it stays so, an owner of the workspace can end their connections.</source>
        <translation>{next_step} Si cela persiste, un propriétaire de l’espace de travail peut mettre fin à ses connexions.</translation>
    </message>
    <message>
        <source>A limit of the workspace is reached.</source>
        <translation>Une limite de l’espace de travail est atteinte.</translation>
    </message>
    <message>
        <source>An owner of the workspace can change it.</source>
        <translation>Un propriétaire de l’espace de travail peut la modifier.</translation>
    </message>
    <message>
        <source>Another member of the workspace has this name.</source>
        <translation>Un autre membre de l’espace de travail porte ce nom.</translation>
    </message>
    <message>
        <source>Choose a name that tells you apart.</source>
        <translation>Choisissez un nom qui vous distingue.</translation>
    </message>
    <message>
        <source>This address leads to another team&apos;s database than the one you joined.</source>
        <translation>Cette adresse mène à la base d’une autre équipe que celle que vous avez rejointe.</translation>
    </message>
    <message>
        <source>Ask the workspace&apos;s owner for the address, or join the other workspace on its own.</source>
        <translation>Demandez l’adresse au propriétaire de l’espace de travail, ou rejoignez l’autre espace à part.</translation>
    </message>
    <message>
        <source>The password for the team&apos;s database cannot be found on this computer.</source>
        <translation>Le mot de passe de la base de l’équipe est introuvable sur cet ordinateur.</translation>
    </message>
    <message>
        <source>Unlock the keyring, or enter the password in Settings, Team sync.</source>
        <translation>Déverrouillez le trousseau, ou saisissez le mot de passe dans Paramètres, Synchronisation d’équipe.</translation>
    </message>
    <message>
        <source>This address leads to a pooler that gives each transaction another connection.</source>
        <translation>Cette adresse mène à un pooler qui donne à chaque transaction une autre connexion.</translation>
    </message>
    <message>
        <source>Use the server&apos;s direct port, or session pooling.</source>
        <translation>Utilisez le port direct du serveur, ou le pooling par session.</translation>
    </message>
    <message>
        <source>The team&apos;s database did not answer in time.</source>
        <translation>La base de données de l’équipe n’a pas répondu à temps.</translation>
    </message>
    <message>
        <source>The server of the team&apos;s database was not found under its name.</source>
        <translation>Le serveur de la base de l’équipe est introuvable sous son nom.</translation>
    </message>
    <message>
        <source>Check the name and your network. ChatDesk tries again by itself.</source>
        <translation>Vérifiez le nom et votre réseau. ChatDesk réessaie automatiquement.</translation>
    </message>
    <message>
        <source>The team&apos;s database takes no more connections at the moment.</source>
        <translation>La base de données de l’équipe n’accepte plus de connexions pour le moment.</translation>
    </message>
    <message>
        <source>ChatDesk tries again by itself. If it stays so, the server&apos;s max_connections is too small.</source>
        <translation>ChatDesk réessaie automatiquement. Si cela persiste, le max_connections du serveur est trop bas.</translation>
    </message>
    <message>
        <source>The team&apos;s database cannot be written to at the moment: its server is a standby, or was made read-only.</source>
        <translation>Impossible d’écrire pour le moment dans la base de l’équipe&#xa0;: son serveur est une réplique, ou a été mis en lecture seule.</translation>
    </message>
    <message>
        <source>ChatDesk tries again by itself. If it stays so, tell whoever runs the server.</source>
        <translation>ChatDesk réessaie automatiquement. Si cela persiste, prévenez l’exploitant du serveur.</translation>
    </message>
    <message>
        <source>The disk of the team&apos;s server is full.</source>
        <translation>Le disque du serveur de l’équipe est plein.</translation>
    </message>
    <message>
        <source>Tell whoever runs the server. ChatDesk tries again by itself.</source>
        <translation>Prévenez l’exploitant du serveur. ChatDesk réessaie automatiquement.</translation>
    </message>
    <message>
        <source>The team&apos;s server did not take the password: it is wrong, or it has expired.</source>
        <translation>Le serveur de l’équipe n’a pas accepté le mot de passe&#xa0;: il est faux, ou il a expiré.</translation>
    </message>
    <message>
        <source>Enter the password again, or ask the workspace&apos;s owner for a new invitation.</source>
        <translation>Saisissez à nouveau le mot de passe, ou demandez une nouvelle invitation au propriétaire de l’espace de travail.</translation>
    </message>
    <message>
        <source>Your login to the team&apos;s database was closed: you are no longer a member of this workspace.</source>
        <translation>Votre accès à la base de l’équipe a été fermé&#xa0;: vous n’êtes plus membre de cet espace de travail.</translation>
    </message>
    <message>
        <source>If this is a mistake, ask the workspace&apos;s owner for a new invitation.</source>
        <translation>Si c’est une erreur, demandez une nouvelle invitation au propriétaire de l’espace de travail.</translation>
    </message>
    <message>
        <source>This login is not a member of the workspace.</source>
        <translation>Ce compte n’est pas membre de l’espace de travail.</translation>
    </message>
    <message>
        <source>Ask the workspace&apos;s owner for an invitation.</source>
        <translation>Demandez une invitation au propriétaire de l’espace de travail.</translation>
    </message>
    <message>
        <source>The invitation was not accepted in time, or not at all.</source>
        <translation>L’invitation n’a pas été acceptée à temps, ou pas du tout.</translation>
    </message>
    <message>
        <source>Accept it, or ask the workspace&apos;s owner for a new one.</source>
        <translation>Acceptez-la, ou demandez-en une nouvelle au propriétaire de l’espace de travail.</translation>
    </message>
    <message>
        <source>The invitation was used already, or withdrawn; each is good once.</source>
        <translation>L’invitation a déjà servi, ou a été retirée&#xa0;; chacune ne sert qu’une fois.</translation>
    </message>
    <message>
        <source>If you joined on another computer, add this one there. If it was not you who used it, tell the workspace&apos;s owner, who can remove that member; then ask for a new one.</source>
        <translation>Si vous avez rejoint l’espace de travail sur un autre ordinateur, ajoutez celui-ci depuis l’autre. Si ce n’est pas vous qui l’avez utilisée, dites-le au propriétaire de l’espace de travail, qui peut retirer ce membre&#xa0;; demandez-en ensuite une nouvelle.</translation>
    </message>
    <message>
        <source>The server of the team&apos;s database does not speak TLS, so what you write would be sent unencrypted.</source>
        <translation>Le serveur de la base de l’équipe ne prend pas en charge TLS, ce que vous écrivez serait donc envoyé en clair.</translation>
    </message>
    <message>
        <source>Ask whoever runs the server to turn TLS on. Nothing was sent.</source>
        <translation>Demandez à l’exploitant du serveur d’activer TLS. Rien n’a été envoyé.</translation>
    </message>
    <message>
        <source>The server of the team&apos;s database refuses connections of this kind from this computer.</source>
        <translation>Le serveur de la base de l’équipe refuse les connexions de ce type depuis cet ordinateur.</translation>
    </message>
    <message>
        <source>Turn TLS on for this address, or ask whoever runs the server to let this computer in.</source>
        <translation>Activez TLS pour cette adresse, ou demandez à l’exploitant du serveur d’autoriser cet ordinateur.</translation>
    </message>
    <message>
        <source>This computer does not trust the certificate of the team&apos;s server for that server&apos;s name.</source>
        <translation>Cet ordinateur ne fait pas confiance au certificat du serveur de l’équipe pour le nom de ce serveur.</translation>
    </message>
    <message>
        <source>Somebody may be intercepting the connection. Ask whoever runs the server for its certificate. Nothing was sent.</source>
        <translation>Quelqu’un intercepte peut-être la connexion. Demandez à l’exploitant du serveur le certificat de celui-ci. Rien n’a été envoyé.</translation>
    </message>
    <message>
        <source>The server asked for the password itself instead of a proof that you know it, so ChatDesk did not send it.</source>
        <translation>Le serveur a demandé le mot de passe lui-même au lieu d’une preuve que vous le connaissez, ChatDesk ne l’a donc pas envoyé.</translation>
    </message>
    <message>
        <source>It may not be the team&apos;s server. Ask whoever runs it; its passwords have to be scram-sha-256.</source>
        <translation>Ce n’est peut-être pas le serveur de l’équipe. Adressez-vous à son exploitant&#xa0;; ses mots de passe doivent être en scram-sha-256.</translation>
    </message>
    <message>
        <source>There is no such database on the team&apos;s server.</source>
        <translation>Cette base n’existe pas sur le serveur de l’équipe.</translation>
    </message>
    <message>
        <source>Check the name of the database.</source>
        <translation>Vérifiez le nom de la base.</translation>
    </message>
    <message>
        <source>There is no workspace of ChatDesk in this database.</source>
        <translation>Il n’y a pas d’espace de travail de ChatDesk dans cette base.</translation>
    </message>
    <message>
        <source>Check the address, or create a workspace there.</source>
        <translation>Vérifiez l’adresse, ou créez-y un espace de travail.</translation>
    </message>
    <message>
        <source>The database is not empty, and a workspace needs one for itself.</source>
        <translation>La base n’est pas vide, or un espace de travail a besoin d’une base pour lui seul.</translation>
    </message>
    <message>
        <source>Create an empty database and give its address. Nothing was changed.</source>
        <translation>Créez une base vide et donnez son adresse. Rien n’a été modifié.</translation>
    </message>
    <message>
        <source>The server is older than PostgreSQL 15.</source>
        <translation>Le serveur est plus ancien que PostgreSQL 15.</translation>
    </message>
    <message>
        <source>A workspace needs PostgreSQL 15 or newer. Nothing was changed.</source>
        <translation>Un espace de travail exige PostgreSQL 15 ou plus récent. Rien n’a été modifié.</translation>
    </message>
    <message>
        <source>The workspace was upgraded by a newer ChatDesk than this one.</source>
        <translation>L’espace de travail a été mis à niveau par un ChatDesk plus récent que celui-ci.</translation>
    </message>
    <message>
        <source>Update ChatDesk to continue; until then, what you change waits here.</source>
        <translation>Mettez ChatDesk à jour pour continuer&#xa0;; d’ici là, vos modifications attendent ici.</translation>
    </message>
    <message>
        <source>The team&apos;s database is of an older ChatDesk than this one.</source>
        <translation>La base de données de l’équipe est celle d’un ChatDesk plus ancien que celui-ci.</translation>
    </message>
    <message>
        <source>An owner upgrades it: &apos;chatdesk team upgrade&apos;, or upgrade.sql. Until then, what you change waits here.</source>
        <translation>Un propriétaire la met à niveau&#xa0;: «&#xa0;chatdesk team upgrade&#xa0;» ou upgrade.sql. D’ici là, ce que vous modifiez attend ici.</translation>
    </message>
    <message>
        <source>This profile, or a copy of it, was put in the place of another one, so it no longer syncs.</source>
        <translation>Ce profil, ou une copie de celui-ci, a été mis à la place d’un autre, il n’est donc plus synchronisé.</translation>
    </message>
    <message>
        <source>Press Connect again in Settings, Team sync, or run &apos;chatdesk team join&apos;. What waits here is sent then.</source>
        <translation>Appuyez sur «&#xa0;Se reconnecter&#xa0;» dans Paramètres, Synchronisation d’équipe, ou exécutez «&#xa0;chatdesk team join&#xa0;». Ce qui attend ici sera alors envoyé.</translation>
    </message>
    <message>
        <source>Tell the people who run the server. Nothing was changed.</source>
        <translation>Prévenez les personnes qui gèrent le serveur. Rien n’a été modifié.</translation>
    </message>
    <message>
        <source>The workspace does not, or no longer, know this computer.</source>
        <translation>L’espace de travail ne connaît pas, ou plus, cet ordinateur.</translation>
    </message>
    <message>
        <source>This login may not do what setting up a workspace takes: own the database and create roles in it.</source>
        <translation>Ce compte n’a pas les droits que demande la création d’un espace de travail&#xa0;: posséder la base et y créer des rôles.</translation>
    </message>
    <message>
        <source>ChatDesk asks again by itself. Tell the people who run the server.</source>
        <translation>ChatDesk redemandera automatiquement. Prévenez les personnes qui gèrent le serveur.</translation>
    </message>
    <message>
        <source>Use a login that owns the database and has CREATEROLE. Nothing was changed.</source>
        <translation>Utilisez un compte qui possède la base et dispose de CREATEROLE. Rien n’a été modifié.</translation>
    </message>
    <message>
        <source>The project was deleted for everybody by its owner.</source>
        <translation>Le projet a été supprimé pour tous par son propriétaire.</translation>
    </message>
    <message>
        <source>Your copy stays here as a private project.</source>
        <translation>Votre copie reste ici comme projet privé.</translation>
    </message>
    <message>
        <source>You are no longer in this project.</source>
        <translation>Vous n’êtes plus dans ce projet.</translation>
    </message>
    <message>
        <source>Your copy stays here as a private project. To come back, ask one of its owners.</source>
        <translation>Votre copie reste ici comme projet privé. Pour revenir, adressez-vous à l’un de ses propriétaires.</translation>
    </message>
    <message>
        <source>ChatDesk registers it again by itself.</source>
        <translation>ChatDesk l’enregistre à nouveau automatiquement.</translation>
    </message>
    <message>
        <source>Your role does not permit this.</source>
        <translation>Votre rôle ne le permet pas.</translation>
    </message>
    <message>
        <source>Ask an owner of the project or of the workspace. Nothing was changed.</source>
        <translation>Adressez-vous à un propriétaire du projet ou de l’espace de travail. Rien n’a été modifié.</translation>
    </message>
    <message>
        <source>There must always be an owner.</source>
        <translation>Il doit toujours y avoir un propriétaire.</translation>
    </message>
    <message>
        <source>Make somebody else owner first. Nothing was changed.</source>
        <translation>Nommez d’abord un autre propriétaire. Rien n’a été modifié.</translation>
    </message>
    <message>
        <source>The team&apos;s database did not take a value.</source>
        <translation>La base de données de l’équipe a refusé une valeur.</translation>
    </message>
    <message>
        <source>Check what you typed. Nothing was changed.</source>
        <translation>Vérifiez votre saisie. Rien n’a été modifié.</translation>
    </message>
    <message>
        <source>By now the server misses other changes of this project than those, or none.</source>
        <translation>Entre-temps, les modifications de ce projet qui manquent au serveur ne sont plus les mêmes, ou il n’en manque plus.</translation>
    </message>
    <message>
        <source>Check against the server again. Nothing was changed.</source>
        <translation>Comparez de nouveau avec le serveur. Rien n’a été modifié.</translation>
    </message>
    <message>
        <source>Changes of this project were not only lost on the server, but rewritten as well.</source>
        <translation>Des modifications de ce projet n’ont pas seulement été perdues sur le serveur, elles ont aussi été réécrites.</translation>
    </message>
    <message>
        <source>This person has not accepted the invitation yet.</source>
        <translation>Cette personne n’a pas encore accepté l’invitation.</translation>
    </message>
    <message>
        <source>Try it again when they have joined. Nothing was changed.</source>
        <translation>Réessayez quand elle aura rejoint l’espace de travail. Rien n’a été modifié.</translation>
    </message>
    <message>
        <source>This person is not, or no longer, a member of the workspace.</source>
        <translation>Cette personne n’est pas, ou n’est plus, membre de l’espace de travail.</translation>
    </message>
    <message>
        <source>Invite them first. Nothing was changed.</source>
        <translation>Invitez-la d’abord. Rien n’a été modifié.</translation>
    </message>
    <message>
        <source>That exists already and is another member&apos;s.</source>
        <translation>Cela existe déjà et appartient à un autre membre.</translation>
    </message>
    <message>
        <source>The file is no longer on the computer that sent the message.</source>
        <translation>Le fichier n’est plus sur l’ordinateur qui a envoyé le message.</translation>
    </message>
    <message>
        <source>The team&apos;s database does not have the file (yet).</source>
        <translation>La base de données de l’équipe n’a pas (encore) le fichier.</translation>
    </message>
    <message>
        <source>The team&apos;s database has a different file under this name.</source>
        <translation>La base de l’équipe a un autre fichier sous ce nom.</translation>
    </message>
    <message>
        <source>The file is larger than ChatDesk takes from a team.</source>
        <translation>Le fichier est plus grand que ce que ChatDesk accepte d’une équipe.</translation>
    </message>
    <message>
        <source>A shared file could not be saved: {reason}.</source>
        <translation>Un fichier partagé n’a pas pu être enregistré&#xa0;: {reason}.</translation>
    </message>
    <message>
        <source>Make room on the disk; ChatDesk tries again by itself.</source>
        <translation>Faites de la place sur le disque&#xa0;; ChatDesk réessaie automatiquement.</translation>
    </message>
    <message>
        <source>That is not an invitation to a workspace.</source>
        <translation>Ce n’est pas une invitation à un espace de travail.</translation>
    </message>
    <message>
        <source>Paste the whole code or link, or open the file that you were given.</source>
        <translation>Collez tout le code ou le lien, ou ouvrez le fichier que vous avez reçu.</translation>
    </message>
    <message>
        <source>The invitation is cut off: its end is missing.</source>
        <translation>L’invitation est coupée&#xa0;: il en manque la fin.</translation>
    </message>
    <message>
        <source>Copy all of it, or ask for it as a file.</source>
        <translation>Copiez-la en entier, ou demandez-la sous forme de fichier.</translation>
    </message>
    <message>
        <source>The invitation was changed on its way: it is not what was sent.</source>
        <translation>L’invitation a été altérée en chemin&#xa0;: elle n’est pas telle qu’elle a été envoyée.</translation>
    </message>
    <message>
        <source>Copy it again from where you got it, or ask for it as a file.</source>
        <translation>Copiez-la à nouveau depuis sa source, ou demandez-la sous forme de fichier.</translation>
    </message>
    <message>
        <source>The invitation was made by a newer ChatDesk.</source>
        <translation>L’invitation a été créée par un ChatDesk plus récent.</translation>
    </message>
    <message>
        <source>Install the newest ChatDesk, then open it again.</source>
        <translation>Installez le ChatDesk le plus récent, puis ouvrez-la à nouveau.</translation>
    </message>
    <message>
        <source>The passphrase does not open this code.</source>
        <translation>La phrase secrète n’ouvre pas ce code.</translation>
    </message>
    <message>
        <source>Type it as it is shown on the other computer, three groups of four characters.</source>
        <translation>Saisissez-la telle que l’autre ordinateur l’affiche, trois groupes de quatre caractères.</translation>
    </message>
    <message>
        <source>This profile is not in that workspace.</source>
        <translation>Ce profil n’est pas dans cet espace de travail.</translation>
    </message>
    <message>
        <source>Join it in Settings, Team sync.</source>
        <translation>Rejoignez-le dans Paramètres, Synchronisation d’équipe.</translation>
    </message>
    <message>
        <source>An invitation is good for 1 to {longest_days} days.</source>
        <translation>Une invitation est valable de 1 à {longest_days} jours.</translation>
    </message>
    <message>
        <source>Choose fewer days.</source>
        <translation>Choisissez moins de jours.</translation>
    </message>
    <message>
        <source>You cannot remove yourself.</source>
        <translation>Vous ne pouvez pas vous retirer vous-même.</translation>
    </message>
    <message>
        <source>Leave the workspace instead.</source>
        <translation>Quittez plutôt l’espace de travail.</translation>
    </message>
    <message>
        <source>Share it first.</source>
        <translation>Partagez-le d’abord.</translation>
    </message>
    <message>
        <source>The code has expired.</source>
        <translation>Le code a expiré.</translation>
    </message>
    <message>
        <source>Make a new one on your other computer.</source>
        <translation>Créez-en un nouveau sur votre autre ordinateur.</translation>
    </message>
    <message>
        <source>If you began to set up a workspace here, setting it up again finishes that.</source>
        <translation>Si vous aviez commencé à configurer un espace de travail ici, configurez-le à nouveau pour terminer.</translation>
    </message>
    <message>
        <source>The password of this workspace is not known here.</source>
        <translation>Le mot de passe de cet espace de travail n’est pas connu ici.</translation>
    </message>
    <message>
        <source>The password comes from an environment variable, so ChatDesk cannot change it.</source>
        <translation>Le mot de passe vient d’une variable d’environnement, ChatDesk ne peut donc pas le changer.</translation>
    </message>
    <message>
        <source>Remove the variable, type the password once, and change it then.</source>
        <translation>Retirez la variable, saisissez le mot de passe une fois, puis changez-le.</translation>
    </message>
    <message>
        <source>The invitation has expired.</source>
        <translation>L’invitation a expiré.</translation>
    </message>
    <message>
        <source>Ask whoever invited you for a new one.</source>
        <translation>Demandez-en une nouvelle à la personne qui vous a invité.</translation>
    </message>
    <message>
        <source>This code no longer opens the team&apos;s database: the password was changed, or you were removed.</source>
        <translation>Ce code n’ouvre plus la base de l’équipe&#xa0;: le mot de passe a été changé, ou vous avez été retiré.</translation>
    </message>
    <message>
        <source>Make a new code on a computer that still syncs, or ask the workspace&apos;s owner.</source>
        <translation>Créez un nouveau code sur un ordinateur qui se synchronise encore, ou adressez-vous au propriétaire de l’espace de travail.</translation>
    </message>
    <message>
        <source>This profile is in that workspace already.</source>
        <translation>Ce profil est déjà dans cet espace de travail.</translation>
    </message>
    <message>
        <source>Settings, Team sync shows its state.</source>
        <translation>Son état s’affiche dans Paramètres, Synchronisation d’équipe.</translation>
    </message>
    <message>
        <source>This server has no encryption: everybody on the way can read and change what is sent, passwords too.</source>
        <translation>Ce serveur n’a pas de chiffrement&#xa0;: n’importe qui sur le trajet peut lire et modifier ce qui est envoyé, mots de passe compris.</translation>
    </message>
    <message>
        <source>Ask for a server with TLS; agree only on this computer or in a network of your own.</source>
        <translation>Demandez un serveur avec TLS&#xa0;; n’acceptez que sur cet ordinateur ou dans votre propre réseau.</translation>
    </message>
    <message>
        <source>This server is not in a network of your own, so ChatDesk speaks to it with encryption only.</source>
        <translation>Ce serveur n’est pas dans votre propre réseau, ChatDesk n’échange donc avec lui que de façon chiffrée.</translation>
    </message>
    <message>
        <source>Switch TLS on at the server; docs/team-administration.md says how.</source>
        <translation>Activez TLS sur le serveur&#xa0;; docs/team-administration.md explique comment.</translation>
    </message>
    <message>
        <source>A name has 1 to 80 characters on one line.</source>
        <translation>Un nom compte de 1 à 80 caractères, sur une seule ligne.</translation>
    </message>
    <message>
        <source>Type another one.</source>
        <translation>Saisissez-en un autre.</translation>
    </message>
    <message>
        <source>This code is for a further computer of yours and sealed with a passphrase.</source>
        <translation>Ce code est destiné à un autre de vos ordinateurs et protégé par une phrase secrète.</translation>
    </message>
    <message>
        <source>Type the passphrase that is shown beside the code.</source>
        <translation>Saisissez la phrase secrète affichée à côté du code.</translation>
    </message>
    <message>
        <source>A password for a team&apos;s database has {shortest} to {longest} letters, digits and signs of an English keyboard, without spaces.</source>
        <translation>Un mot de passe de base d’équipe compte de {shortest} à {longest} lettres, chiffres et symboles d’un clavier anglais, sans espaces.</translation>
    </message>
    <message>
        <source>Choose another one.</source>
        <translation>Choisissez-en un autre.</translation>
    </message>
    <message>
        <source>This computer cannot keep the password for the team&apos;s database.</source>
        <translation>Cet ordinateur ne peut pas conserver le mot de passe de la base de l’équipe.</translation>
    </message>
    <message>
        <source>Nothing was changed on the server, and the invitation is still good.</source>
        <translation>Rien n’a été modifié sur le serveur, et l’invitation reste valable.</translation>
    </message>
    <message>
        <source>Unlock or install a keyring, or choose the encrypted file in Settings, Providers; or put a password of your own into the variable {variable} each time before ChatDesk starts.</source>
        <translation>Déverrouillez ou installez un trousseau, ou choisissez le fichier chiffré dans Paramètres, Fournisseurs&#xa0;; ou mettez un mot de passe de votre choix dans la variable {variable} avant chaque démarrage de ChatDesk.</translation>
    </message>
    <message>
        <source>The password was given for {kept}, and the workspace is now at {server}: it was not sent there. If the server really moved, say so in Settings, Team sync, Address, or enter the password again.</source>
        <translation>Le mot de passe a été donné pour {kept}, et l’espace de travail est maintenant sur {server}&#xa0;: il n’y a pas été envoyé. Si le serveur a vraiment changé d’adresse, indiquez-le dans Paramètres, Synchronisation d’équipe, Adresse, ou saisissez de nouveau le mot de passe.</translation>
    </message>
    <message>
        <source>The password was kept by an earlier ChatDesk, and the workspace is now at {server}: it was not sent there. If the server really moved, say so in Settings, Team sync, Address, or enter the password again.</source>
        <translation>Le mot de passe a été conservé par un ChatDesk antérieur, et l’espace de travail est maintenant sur {server}&#xa0;: il n’y a pas été envoyé. Si le serveur a vraiment changé d’adresse, indiquez-le dans Paramètres, Synchronisation d’équipe, Adresse, ou saisissez de nouveau le mot de passe.</translation>
    </message>
    <message>
        <source>The variable {variable} has a password, and nobody said on this computer that it is for {server}: it was not sent there. If it is, set {server_variable} to {named}, or enter the password.</source>
        <translation>La variable {variable} contient un mot de passe, et personne n’a indiqué sur cet ordinateur qu’il est destiné à {server}&#xa0;: il n’y a pas été envoyé. S’il l’est, donnez à {server_variable} la valeur {named}, ou saisissez le mot de passe.</translation>
    </message>
    <message>
        <source>This project is shared with another workspace already.</source>
        <translation>Ce projet est déjà partagé avec un autre espace de travail.</translation>
    </message>
    <message>
        <source>Stop sharing it there first.</source>
        <translation>Arrêtez-y d’abord le partage.</translation>
    </message>
    <message>
        <source>Ask one of its owners.</source>
        <translation>Adressez-vous à l’un de ses propriétaires.</translation>
    </message>
    <message>
        <source>Update ChatDesk.</source>
        <translation>Mettez ChatDesk à jour.</translation>
    </message>
    <message>
        <source>What others write comes up to half a minute late: the server&apos;s notifications do not arrive on this connection.</source>
        <translation>Ce que les autres écrivent arrive avec jusqu’à une demi-minute de retard&#xa0;: les notifications du serveur n’arrivent pas sur cette connexion.</translation>
    </message>
    <message>
        <source>Use the server&apos;s direct address, or a pooler in session mode: Settings, Team sync, Address.</source>
        <translation>Utilisez l’adresse directe du serveur, ou un pooler en mode session&#xa0;: Paramètres, Synchronisation d’équipe, Adresse.</translation>
    </message>
    <message>
        <source>The team&apos;s database needs a newer ChatDesk to write to it; what you write waits on this computer.</source>
        <translation>La base de l’équipe exige un ChatDesk plus récent pour y écrire&#xa0;; ce que vous écrivez attend sur cet ordinateur.</translation>
    </message>
    <message>
        <source>The team&apos;s database needs a newer ChatDesk.</source>
        <translation>La base de l’équipe exige un ChatDesk plus récent.</translation>
    </message>
    <message>
        <source>This computer&apos;s clock is {span} ahead of the team&apos;s. Nothing is lost by that.</source>
        <translation>L’horloge de cet ordinateur avance de {span} sur celle de l’équipe. Rien n’est perdu pour autant.</translation>
    </message>
    <message>
        <source>This computer&apos;s clock is {span} behind the team&apos;s. Nothing is lost by that.</source>
        <translation>L’horloge de cet ordinateur retarde de {span} sur celle de l’équipe. Rien n’est perdu pour autant.</translation>
    </message>
    <message>
        <source>a moment</source>
        <translation>un instant</translation>
    </message>
    <message>
        <source>The team&apos;s server did not take everything in time.</source>
        <translation>Le serveur de l’équipe n’a pas tout accepté à temps.</translation>
    </message>
    <message>
        <source>Check the user and the password.</source>
        <translation>Vérifiez l’utilisateur et le mot de passe.</translation>
    </message>
    <message>
        <source>Check the host, and your network.</source>
        <translation>Vérifiez l’hôte, et votre réseau.</translation>
    </message>
    <message>
        <source>Choose the certificate that whoever runs the server gives you. Nothing was sent.</source>
        <translation>Choisissez le certificat que l’exploitant du serveur vous donne. Rien n’a été envoyé.</translation>
    </message>
    <message>
        <source>Check again later. If it stays so, the server&apos;s max_connections is too small.</source>
        <translation>Vérifiez à nouveau plus tard. Si cela persiste, le max_connections du serveur est trop bas.</translation>
    </message>
    <message>
        <source>Ask whoever runs the server for room, then check again.</source>
        <translation>Demandez à l’exploitant du serveur de libérer de la place, puis vérifiez à nouveau.</translation>
    </message>
    <message>
        <source>Check host, port and network, and that the server runs; then check again.</source>
        <translation>Vérifiez l’hôte, le port et le réseau, et que le serveur tourne&#xa0;; puis vérifiez à nouveau.</translation>
    </message>
    <message>
        <source>The server answers and takes the login.</source>
        <translation>Le serveur répond et accepte le compte.</translation>
    </message>
    <message>
        <source>create roles (CREATEROLE)</source>
        <translation>créer des rôles (CREATEROLE)</translation>
    </message>
    <message>
        <source>change the database, which belongs to another login</source>
        <translation>modifier la base de données, qui appartient à un autre compte</translation>
    </message>
    <message>
        <source>Version</source>
        <translation>Version</translation>
    </message>
    <message>
        <source>PostgreSQL {version} is too old. Use a server with 15 or newer.</source>
        <translation>PostgreSQL {version} est trop ancien. Utilisez un serveur en version 15 ou plus récente.</translation>
    </message>
    <message>
        <source>PostgreSQL {version}.</source>
        <translation>PostgreSQL {version}.</translation>
    </message>
    <message>
        <source>The connection is encrypted (TLS).</source>
        <translation>La connexion est chiffrée (TLS).</translation>
    </message>
    <message>
        <source>Not encrypted: anybody on the way can read everything.</source>
        <translation>Non chiffrée&#xa0;: n’importe qui sur le trajet peut tout lire.</translation>
    </message>
    <message>
        <source>Empty database</source>
        <translation>Base de données vide</translation>
    </message>
    <message>
        <source>There is a workspace in this database already. Make a new database, or ask its owner for an invitation.</source>
        <translation>Il y a déjà un espace de travail dans cette base. Créez une nouvelle base, ou demandez une invitation à son propriétaire.</translation>
    </message>
    <message numerus="yes">
        <source>It is not empty: there are {count} tables and views in it. A workspace needs a database for itself; make a new one.</source>
        <comment>It is not empty: there is {count} table or view in it. A workspace needs a database for itself; make a new one.</comment>
        <translation>
            <numerusform>Elle n’est pas vide&#xa0;: elle contient {count} table ou vue. Un espace de travail a besoin d’une base pour lui seul&#xa0;; créez-en une nouvelle.</numerusform>
            <numerusform>Elle n’est pas vide&#xa0;: elle contient {count} tables et vues. Un espace de travail a besoin d’une base pour lui seul&#xa0;; créez-en une nouvelle.</numerusform>
        </translation>
    </message>
    <message>
        <source>The database is empty.</source>
        <translation>La base est vide.</translation>
    </message>
    <message>
        <source>Rights</source>
        <translation>Droits</translation>
    </message>
    <message>
        <source>The login may not {lacks}. Use the one that owns the database, with CREATEROLE.</source>
        <translation>Le compte n’a pas le droit de {lacks}. Utilisez celui qui possède la base, avec CREATEROLE.</translation>
    </message>
    <message>
        <source>{one} or {other}</source>
        <translation>{one} ou {other}</translation>
    </message>
    <message>
        <source>The login owns the database and may create roles.</source>
        <translation>Le compte possède la base et peut créer des rôles.</translation>
    </message>
    <message>
        <source>Changes</source>
        <translation>Modifications</translation>
    </message>
    <message>
        <source>The server takes no changes: it is a standby, or read-only. Use its primary.</source>
        <translation>Le serveur n’accepte pas de modifications&#xa0;: c’est une réplique, ou il est en lecture seule. Utilisez son serveur principal.</translation>
    </message>
    <message>
        <source>The database keeps text as {encoding}. Make one with UTF8.</source>
        <translation>La base garde le texte en {encoding}. Créez-en une en UTF8.</translation>
    </message>
    <message>
        <source>The database takes changes, and text in every language.</source>
        <translation>La base de données accepte les modifications, et le texte dans toutes les langues.</translation>
    </message>
    <message>
        <source>Direct connection</source>
        <translation>Connexion directe</translation>
    </message>
    <message>
        <source>Notifications do not arrive: this seems to be a pooler. Use the server&apos;s direct port, or session pooling.</source>
        <translation>Les notifications n’arrivent pas&#xa0;: il s’agit sans doute d’un pooler. Utilisez le port direct du serveur, ou le pooling par session.</translation>
    </message>
    <message>
        <source>Notifications arrive.</source>
        <translation>Les notifications arrivent.</translation>
    </message>
    <message>
        <source>Connections</source>
        <translation>Connexions</translation>
    </message>
    <message>
        <source>The server takes {most} connections; a computer needs up to three while ChatDesk runs.</source>
        <translation>Le serveur accepte {most} connexions&#xa0;; un ordinateur en utilise jusqu’à trois pendant que ChatDesk fonctionne.</translation>
    </message>
    <message>
        <source>The server takes {most} connections, up to three for each computer.</source>
        <translation>Le serveur accepte {most} connexions, jusqu’à trois par ordinateur.</translation>
    </message>
    <message>
        <source>[y/N]</source>
        <translation>[o/N]</translation>
    </message>
    <message>
        <source>y yes</source>
        <translation>o oui</translation>
    </message>
    <message>
        <source>Nobody can be asked here.</source>
        <translation>Il n’y a personne à qui demander ici.</translation>
    </message>
    <message>
        <source>Add --yes.</source>
        <translation>Ajoutez --yes.</translation>
    </message>
    <message>
        <source>The output could not be written: {strerror}.</source>
        <translation>La sortie n’a pas pu être écrite&#xa0;: {strerror}.</translation>
    </message>
    <message>
        <source>{megabytes} MB</source>
        <translation>{megabytes}&#xa0;Mo</translation>
    </message>
    <message numerus="yes">
        <source>{count} bytes</source>
        <comment>{count} byte</comment>
        <translation>
            <numerusform>{count} octet</numerusform>
            <numerusform>{count} octets</numerusform>
        </translation>
    </message>
    <message>
        <source>{about} of {server} failed: {reason}</source>
        <translation>{about} de {server} a échoué&#xa0;: {reason}</translation>
    </message>
    <message>
        <source>“{tool}” of {server} was changed by its server after it was offered, so it was not run.</source>
        <translation>«&#xa0;{tool}&#xa0;» de {server} a été modifié par son serveur après avoir été proposé, il n’a donc pas été exécuté.</translation>
    </message>
    <message>
        <source>Ask again: you are shown it as it is now.</source>
        <translation>Reposez la question&#xa0;: il vous sera présenté tel qu’il est maintenant.</translation>
    </message>
    <message>
        <source>Signing in to {server} failed: {reason}</source>
        <translation>La connexion à {server} a échoué&#xa0;: {reason}</translation>
    </message>
    <message>
        <source>It was ended.</source>
        <translation>Il a été arrêté.</translation>
    </message>
    <message>
        <source>{server} cannot be used: {reason}</source>
        <translation>{server} ne peut pas être utilisé&#xa0;: {reason}</translation>
    </message>
    <message>
        <source>The process for tools could not be started.</source>
        <translation>Le processus des outils n’a pas pu être démarré.</translation>
    </message>
    <message>
        <source>The process for tools ended.</source>
        <translation>Le processus des outils s’est arrêté.</translation>
    </message>
    <message>
        <source>The list of prompts</source>
        <translation>La liste des prompts</translation>
    </message>
    <message>
        <source>The list of resources</source>
        <translation>La liste des ressources</translation>
    </message>
    <message>
        <source>{about} of {name} is empty.</source>
        <translation>{about} de {name} est vide.</translation>
    </message>
    <message>
        <source>No tool server was found in this text.</source>
        <translation>Aucun serveur d’outils n’a été trouvé dans ce texte.</translation>
    </message>
    <message>
        <source>Paste the whole block, from { to }.</source>
        <translation>Collez tout le bloc, de { à }.</translation>
    </message>
    <message>
        <source>It is described with the older transport (SSE), which ChatDesk does not speak. Ask for its address for streamable HTTP, which often ends with /mcp.</source>
        <translation>Il est décrit avec l’ancien transport (SSE), que ChatDesk ne prend pas en charge. Demandez son adresse pour le transport streamable HTTP, qui finit souvent par /mcp.</translation>
    </message>
    <message>
        <source>This text is too long for a description of tool servers.</source>
        <translation>Ce texte est trop long pour une description de serveurs d’outils.</translation>
    </message>
    <message>
        <source>This text is not valid JSON.</source>
        <translation>Ce texte n’est pas du JSON valide.</translation>
    </message>
    <message>
        <source>The permissions of tools could not be saved.</source>
        <translation>Les autorisations des outils n’ont pas pu être enregistrées.</translation>
    </message>
    <message>
        <source>permissions of tools</source>
        <translation>autorisations des outils</translation>
    </message>
    <message>
        <source>Install Node.js: https://nodejs.org (on Debian and Ubuntu: sudo apt install npm).</source>
        <translation>Installez Node.js&#xa0;: https://nodejs.org (sous Debian et Ubuntu&#xa0;: sudo apt install npm).</translation>
    </message>
    <message>
        <source>Install Node.js: https://nodejs.org (on Debian and Ubuntu: sudo apt install nodejs).</source>
        <translation>Installez Node.js&#xa0;: https://nodejs.org (sous Debian et Ubuntu&#xa0;: sudo apt install nodejs).</translation>
    </message>
    <message>
        <source>Install Bun: https://bun.sh.</source>
        <translation>Installez Bun&#xa0;: https://bun.sh.</translation>
    </message>
    <message>
        <source>Install Deno: https://deno.com.</source>
        <translation>Installez Deno&#xa0;: https://deno.com.</translation>
    </message>
    <message>
        <source>Install uv: pipx install uv (or see https://docs.astral.sh/uv).</source>
        <translation>Installez uv&#xa0;: pipx install uv (ou consultez https://docs.astral.sh/uv).</translation>
    </message>
    <message>
        <source>Install pipx (on Debian and Ubuntu: sudo apt install pipx).</source>
        <translation>Installez pipx (sous Debian et Ubuntu&#xa0;: sudo apt install pipx).</translation>
    </message>
    <message>
        <source>Install Docker: https://docs.docker.com/get-docker.</source>
        <translation>Installez Docker&#xa0;: https://docs.docker.com/get-docker.</translation>
    </message>
    <message>
        <source>Install it, or give its whole path.</source>
        <translation>Installez-le, ou donnez son chemin complet.</translation>
    </message>
    <message>
        <source>The program “{name}” was not found.</source>
        <translation>Le programme «&#xa0;{name}&#xa0;» est introuvable.</translation>
    </message>
    <message>
        <source>There is no such folder.</source>
        <translation>Ce dossier n’existe pas.</translation>
    </message>
    <message>
        <source>Choose a folder that exists on this computer.</source>
        <translation>Choisissez un dossier qui existe sur cet ordinateur.</translation>
    </message>
    <message>
        <source>There is no folder {path}.</source>
        <translation>Le dossier {path} n’existe pas.</translation>
    </message>
    <message>
        <source>ChatDesk keeps its own files in {each}, which models must not read.</source>
        <translation>ChatDesk garde ses propres fichiers dans {each}, que les modèles ne doivent pas lire.</translation>
    </message>
    <message>
        <source>Choose the folder of the project itself.</source>
        <translation>Choisissez le dossier du projet lui-même.</translation>
    </message>
    <message>
        <source>“{label}” is missing.</source>
        <translation>«&#xa0;{label}&#xa0;» manque.</translation>
    </message>
    <message>
        <source>“{label}” is not a whole number.</source>
        <translation>«&#xa0;{label}&#xa0;» n’est pas un nombre entier.</translation>
    </message>
    <message>
        <source>“{label}” is not a number.</source>
        <translation>«&#xa0;{label}&#xa0;» n’est pas un nombre.</translation>
    </message>
    <message>
        <source>“{label}” is at least {least}{unit}.</source>
        <translation>«&#xa0;{label}&#xa0;» doit être d’au moins {least}{unit}.</translation>
    </message>
    <message>
        <source>“{label}” is at most {most}{unit}.</source>
        <translation>«&#xa0;{label}&#xa0;» doit être d’au plus {most}{unit}.</translation>
    </message>
    <message>
        <source>an email address</source>
        <translation>une adresse e-mail</translation>
    </message>
    <message>
        <source>an address such as https://example.org</source>
        <translation>une adresse comme https://example.org</translation>
    </message>
    <message>
        <source>a date such as 2026-11-24</source>
        <translation>une date comme 2026-11-24</translation>
    </message>
    <message>
        <source>a date and time such as 2026-11-24T09:30:00Z</source>
        <translation>une date et une heure comme 2026-11-24T09:30:00Z</translation>
    </message>
    <message>
        <source>“{label}” is not {words}.</source>
        <translation>«&#xa0;{label}&#xa0;» n’est pas {words}.</translation>
    </message>
    <message>
        <source>This tool server cannot be used as it is.</source>
        <translation>Ce serveur d’outils ne peut pas être utilisé tel quel.</translation>
    </message>
    <message>
        <source>Correct this and save again.</source>
        <translation>Corrigez cela et enregistrez à nouveau.</translation>
    </message>
    <message>
        <source>The tool server has no name.</source>
        <translation>Le serveur d’outils n’a pas de nom.</translation>
    </message>
    <message>
        <source>The tool server has no command.</source>
        <translation>Le serveur d’outils n’a pas de commande.</translation>
    </message>
    <message>
        <source>The command has a character that no command can have.</source>
        <translation>La commande contient un caractère qu’aucune commande ne peut avoir.</translation>
    </message>
    <message>
        <source>The address of a tool server begins with https:// or http://.</source>
        <translation>L’adresse d’un serveur d’outils commence par https:// ou http://.</translation>
    </message>
    <message>
        <source>Secrets are sent over https only: anybody on the way could read them.</source>
        <translation>Les secrets ne sont envoyés que par https&#xa0;: n’importe qui sur le trajet pourrait les lire.</translation>
    </message>
    <message>
        <source>The tool servers could not be saved.</source>
        <translation>Les serveurs d’outils n’ont pas pu être enregistrés.</translation>
    </message>
    <message>
        <source>tool servers</source>
        <translation>serveurs d’outils</translation>
    </message>
    <message numerus="yes">
        <source>{count} tool servers were left out: the entry in {file} cannot be used.</source>
        <comment>{count} tool server was left out: the entry in {file} cannot be used.</comment>
        <translation>
            <numerusform>{count} serveur d’outils a été ignoré&#xa0;: l’entrée dans {file} est inutilisable.</numerusform>
            <numerusform>{count} serveurs d’outils ont été ignorés&#xa0;: l’entrée dans {file} est inutilisable.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tool servers in this data directory may be from somebody else and stay off until you switch them on.</source>
        <comment>{count} tool server in this data directory may be from somebody else and stays off until you switch it on.</comment>
        <translation>
            <numerusform>{count} serveur d’outils de ce dossier de données vient peut-être de quelqu’un d’autre et reste désactivé jusqu’à ce que vous l’activiez.</numerusform>
            <numerusform>{count} serveurs d’outils de ce dossier de données viennent peut-être de quelqu’un d’autre et restent désactivés jusqu’à ce que vous les activiez.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} other choices for tools in this data directory (a folder, a server of ChatDesk&apos;s own, the search engine) may be from somebody else and do not hold until you choose again.</source>
        <comment>{count} other choice for tools in this data directory (a folder, a server of ChatDesk&apos;s own, the search engine) may be from somebody else and does not hold until you choose again.</comment>
        <translation>
            <numerusform>{count} autre choix d’outils dans ce dossier de données (un dossier, un serveur propre à ChatDesk, le moteur de recherche) vient peut-être de quelqu’un d’autre et reste sans effet tant que vous n’avez pas choisi de nouveau.</numerusform>
            <numerusform>{count} autres choix d’outils dans ce dossier de données (un dossier, un serveur propre à ChatDesk, le moteur de recherche) viennent peut-être de quelqu’un d’autre et restent sans effet tant que vous n’avez pas choisi de nouveau.</numerusform>
        </translation>
    </message>
    <message>
        <source>The file of tool servers was written by a newer ChatDesk.</source>
        <translation>Le fichier des serveurs d’outils a été écrit par un ChatDesk plus récent.</translation>
    </message>
    <message>
        <source>What you set up for tools cannot be marked as yours, so the next start would not trust it.</source>
        <translation>Ce que vous avez configuré pour les outils ne peut pas être marqué comme étant à vous&#xa0;; ChatDesk n’y ferait donc pas confiance au prochain démarrage.</translation>
    </message>
    <message>
        <source>Unlock the keyring, or check your configuration directory, and try again.</source>
        <translation>Déverrouillez le trousseau, ou vérifiez votre dossier de configuration, puis réessayez.</translation>
    </message>
    <message>
        <source>The file of tool servers {path} could not be written.</source>
        <translation>Le fichier des serveurs d’outils {path} n’a pas pu être écrit.</translation>
    </message>
    <message>
        <source>There are {most_servers} tool servers already.</source>
        <translation>Il y a déjà {most_servers} serveurs d’outils.</translation>
    </message>
    <message>
        <source>{name} comes with ChatDesk.</source>
        <translation>{name} est fourni avec ChatDesk.</translation>
    </message>
    <message>
        <source>Switch it off instead.</source>
        <translation>Désactivez-le plutôt.</translation>
    </message>
    <message>
        <source>The tool took too long.</source>
        <translation>L’outil a mis trop de temps.</translation>
    </message>
    <message>
        <source>The folder {folder} does not exist.</source>
        <translation>Le dossier {folder} n’existe pas.</translation>
    </message>
    <message>
        <source>The value of {name} is missing.</source>
        <translation>La valeur de {name} manque.</translation>
    </message>
    <message>
        <source>Enter it in Settings, Tools.</source>
        <translation>Saisissez-la dans Paramètres, Outils.</translation>
    </message>
    <message>
        <source>This server cannot be signed in to.</source>
        <translation>On ne peut pas se connecter à ce serveur avec un compte.</translation>
    </message>
    <message>
        <source>Sign in to servers over https.</source>
        <translation>Connectez-vous aux serveurs par https.</translation>
    </message>
    <message>
        <source>Try again later.</source>
        <translation>Réessayez plus tard.</translation>
    </message>
    <message>
        <source>Check the address in Settings, Tools, or try again later.</source>
        <translation>Vérifiez l’adresse dans Paramètres, Outils, ou réessayez plus tard.</translation>
    </message>
    <message>
        <source>The key of {label} is missing.</source>
        <translation>La clé de {label} manque.</translation>
    </message>
    <message>
        <source>{server} answered, but not as {label} does.</source>
        <translation>{server} a répondu, mais pas comme le fait {label}.</translation>
    </message>
    <message>
        <source>SearXNG does not answer programs.</source>
        <translation>SearXNG ne répond pas aux programmes.</translation>
    </message>
    <message>
        <source>Add json to search.formats in its settings.yml, or choose another.</source>
        <translation>Ajoutez json à search.formats dans son settings.yml, ou choisissez-en un autre.</translation>
    </message>
    <message>
        <source>{label} does not take this key.</source>
        <translation>{label} n’accepte pas cette clé.</translation>
    </message>
    <message>
        <source>{label} takes no more searches for now.</source>
        <translation>{label} n’accepte plus de recherches pour le moment.</translation>
    </message>
    <message>
        <source>Wait, or look at your plan there.</source>
        <translation>Attendez, ou consultez votre formule d’abonnement sur son site.</translation>
    </message>
    <message>
        <source>{label} answered with {status}.</source>
        <translation>{label} a répondu {status}.</translation>
    </message>
    <message>
        <source>The web could not be searched.</source>
        <translation>La recherche sur le web n’a pas abouti.</translation>
    </message>
    <message>
        <source>Not encrypted: others on the network could read what is searched for.</source>
        <translation>Non chiffré&#xa0;: d’autres sur le réseau pourraient lire les recherches.</translation>
    </message>
    <message>
        <source>The web cannot be searched like this.</source>
        <translation>La recherche sur le web n’est pas possible ainsi.</translation>
    </message>
    <message>
        <source>{label} wants a key.</source>
        <translation>{label} exige une clé.</translation>
    </message>
    <message>
        <source>Choose one in Settings, Tools.</source>
        <translation>Choisissez-en un dans Paramètres, Outils.</translation>
    </message>
    <message>
        <source>There is nothing to search for.</source>
        <translation>Il n’y a rien à rechercher.</translation>
    </message>
    <message>
        <source>It found no page about {tried_with}.</source>
        <translation>Aucune page n’a été trouvée sur {tried_with}.</translation>
    </message>
    <message>
        <source>The address of SearXNG is one like https://searx.example.org.</source>
        <translation>L’adresse de SearXNG ressemble à https://searx.example.org.</translation>
    </message>
    <message>
        <source>The export ended unexpectedly.</source>
        <translation>L’export s’est arrêté de façon inattendue.</translation>
    </message>
    <message>
        <source>Try again, or another format.</source>
        <translation>Réessayez, ou un autre format.</translation>
    </message>
    <message>
        <source>The pages were not finished in time.</source>
        <translation>Les pages n’ont pas été terminées à temps.</translation>
    </message>
    <message>
        <source>Export as HTML and print that.</source>
        <translation>Exportez en HTML et imprimez le résultat.</translation>
    </message>
    <message>
        <source>The PDF could not be made: {reason}.</source>
        <translation>Le PDF n’a pas pu être créé&#xa0;: {reason}.</translation>
    </message>
    <message>
        <source>This file contains more chats than can be read at once.</source>
        <translation>Ce fichier contient plus de discussions qu’on ne peut en lire en une fois.</translation>
    </message>
    <message>
        <source>The CSV file is cut off or damaged.</source>
        <translation>Le fichier CSV est coupé ou endommagé.</translation>
    </message>
    <message>
        <source>Export the chats again, then import that file.</source>
        <translation>Exportez à nouveau les discussions, puis importez ce fichier.</translation>
    </message>
    <message>
        <source>There is not enough room on the disk to open the zip files in this one.</source>
        <translation>Il n’y a pas assez de place sur le disque pour ouvrir les fichiers zip que celui-ci contient.</translation>
    </message>
    <message>
        <source>Make room, or unpack it and import the zip file of the conversations alone.</source>
        <translation>Faites de la place, ou décompressez-le et importez seulement le zip des conversations.</translation>
    </message>
    <message>
        <source>The zip file is damaged or not complete.</source>
        <translation>Le fichier zip est endommagé ou incomplet.</translation>
    </message>
    <message>
        <source>Download the export again, then import it.</source>
        <translation>Téléchargez à nouveau l’export, puis importez-le.</translation>
    </message>
    <message>
        <source>The zip file claims more files than an export has.</source>
        <translation>Le fichier zip annonce plus de fichiers qu’un export n’en contient.</translation>
    </message>
    <message>
        <source>The zip file is protected by a password.</source>
        <translation>Le fichier zip est protégé par un mot de passe.</translation>
    </message>
    <message>
        <source>Unpack it, then import the JSON file in it.</source>
        <translation>Décompressez-le, puis importez le fichier JSON qu’il contient.</translation>
    </message>
    <message>
        <source>The zip file is packed in a way that exports are not.</source>
        <translation>Le fichier zip est compressé autrement que les exports.</translation>
    </message>
    <message>
        <source>The zip file unpacks to far more than an export holds, so it was not opened.</source>
        <translation>Le fichier zip contient, une fois décompressé, bien plus qu’un export, il n’a donc pas été ouvert.</translation>
    </message>
    <message>
        <source>This file was written by a newer ChatDesk (format version {version}).</source>
        <translation>Ce fichier a été écrit par un ChatDesk plus récent (version de format {version}).</translation>
    </message>
    <message>
        <source>Update ChatDesk, then import it.</source>
        <translation>Mettez ChatDesk à jour, puis importez-le.</translation>
    </message>
    <message>
        <source>This backup contains more text than can be read at once.</source>
        <translation>Cette sauvegarde contient plus de texte qu’on ne peut en lire en une fois.</translation>
    </message>
    <message>
        <source>The answer failed.</source>
        <translation>La réponse a échoué.</translation>
    </message>
    <message>
        <source>Entry {number}</source>
        <translation>Entrée {number}</translation>
    </message>
    <message>
        <source>It contains no messages.</source>
        <translation>Elle ne contient aucun message.</translation>
    </message>
    <message>
        <source>Entry {number} of {name}</source>
        <translation>Entrée {number} de {name}</translation>
    </message>
    <message>
        <source>“{key}” of {name}</source>
        <translation>«&#xa0;{key}&#xa0;» de {name}</translation>
    </message>
    <message>
        <source>Nothing after it could be read.</source>
        <translation>Rien de ce qui suit n’a pu être lu.</translation>
    </message>
    <message>
        <source>The file is damaged or not complete.</source>
        <translation>Le fichier est endommagé ou incomplet.</translation>
    </message>
    <message>
        <source>The rest of the file could not be read.</source>
        <translation>Le reste du fichier n’a pas pu être lu.</translation>
    </message>
    <message>
        <source>This file is one conversation that is larger than any export holds.</source>
        <translation>Ce fichier est une seule conversation, plus grande que celles de n’importe quel export.</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads were here already.</source>
        <comment>{count} thread was here already.</comment>
        <translation>
            <numerusform>{count} conversation était déjà présente.</numerusform>
            <numerusform>{count} conversations étaient déjà présentes.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads were in the trash and left there.</source>
        <comment>{count} thread was in the trash and left there.</comment>
        <translation>
            <numerusform>{count} conversation était dans la corbeille et y est restée.</numerusform>
            <numerusform>{count} conversations étaient dans la corbeille et y sont restées.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads were deleted for good before and left out.</source>
        <comment>{count} thread was deleted for good before and left out.</comment>
        <translation>
            <numerusform>{count} conversation avait été supprimée définitivement et a été ignorée.</numerusform>
            <numerusform>{count} conversations avaient été supprimées définitivement et ont été ignorées.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} entries were skipped.</source>
        <comment>{count} entry was skipped.</comment>
        <translation>
            <numerusform>{count} entrée a été ignorée.</numerusform>
            <numerusform>{count} entrées ont été ignorées.</numerusform>
        </translation>
    </message>
    <message>
        <source>There was nothing to import.</source>
        <translation>Il n’y avait rien à importer.</translation>
    </message>
    <message>
        <source>The import was stopped. Import the same file again to continue.</source>
        <translation>L’import a été arrêté. Importez à nouveau le même fichier pour continuer.</translation>
    </message>
    <message numerus="yes">
        <source>{count} new threads</source>
        <comment>{count} new thread</comment>
        <translation>
            <numerusform>{count} nouvelle conversation</numerusform>
            <numerusform>{count} nouvelles conversations</numerusform>
        </translation>
    </message>
    <message>
        <source>Would import {threads} with {messages}.</source>
        <translation>À importer&#xa0;: {threads} avec {messages}.</translation>
    </message>
    <message>
        <source>Imported {threads} with {messages}.</source>
        <translation>Import terminé&#xa0;: {threads} avec {messages}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads with new messages</source>
        <comment>{count} thread with new messages</comment>
        <translation>
            <numerusform>{count} conversation avec de nouveaux messages</numerusform>
            <numerusform>{count} conversations avec de nouveaux messages</numerusform>
        </translation>
    </message>
    <message>
        <source>Would import {threads} and {grown}, {messages} in all.</source>
        <translation>À importer&#xa0;: {threads} et {grown}, {messages} en tout.</translation>
    </message>
    <message>
        <source>Imported {threads} and {grown}, {messages} in all.</source>
        <translation>Import terminé&#xa0;: {threads} et {grown}, {messages} en tout.</translation>
    </message>
    <message numerus="yes">
        <source>{count} files that messages name are not in the export.</source>
        <comment>{count} file that messages name is not in the export.</comment>
        <translation>
            <numerusform>{count} fichier mentionné dans des messages n’est pas dans l’export.</numerusform>
            <numerusform>{count} fichiers mentionnés dans des messages ne sont pas dans l’export.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages that the vendor hides were left out.</source>
        <comment>{count} message that the vendor hides was left out.</comment>
        <translation>
            <numerusform>{count} message que l’éditeur masque a été omis.</numerusform>
            <numerusform>{count} messages que l’éditeur masque ont été omis.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} marks of sources that the export does not name were left out.</source>
        <comment>{count} mark of a source that the export does not name was left out.</comment>
        <translation>
            <numerusform>{count} renvoi à une source que l’export ne nomme pas a été omis.</numerusform>
            <numerusform>{count} renvois à des sources que l’export ne nomme pas ont été omis.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The export contains {count} memories.</source>
        <comment>The export contains {count} memory.</comment>
        <translation>
            <numerusform>L’export contient {count} souvenir.</numerusform>
            <numerusform>L’export contient {count} souvenirs.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} more are beyond the most that ChatDesk keeps.</source>
        <comment>{count} more is beyond the most that ChatDesk keeps.</comment>
        <translation>
            <numerusform>{count} autre dépasse le maximum que ChatDesk garde.</numerusform>
            <numerusform>{count} autres dépassent le maximum que ChatDesk garde.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} of them are remembered now.</source>
        <comment>{count} of them is remembered now.</comment>
        <translation>
            <numerusform>{count} d’entre eux est maintenant mémorisé.</numerusform>
            <numerusform>{count} d’entre eux sont maintenant mémorisés.</numerusform>
        </translation>
    </message>
    <message>
        <source>None was taken: memories are kept only where you choose them.</source>
        <translation>Aucun n’a été repris&#xa0;: seuls les souvenirs que vous choisissez sont gardés.</translation>
    </message>
    <message>
        <source>{outcome}: {title} ({reason})</source>
        <translation>{outcome}&#xa0;: {title} ({reason})</translation>
    </message>
    <message>
        <source>{outcome}: {title}</source>
        <translation>{outcome}&#xa0;: {title}</translation>
    </message>
    <message>
        <source>{outcome}: {title} ({messages}; {reason})</source>
        <translation>{outcome}&#xa0;: {title} ({messages}&#xa0;; {reason})</translation>
    </message>
    <message>
        <source>{outcome}: {title} ({messages})</source>
        <translation>{outcome}&#xa0;: {title} ({messages})</translation>
    </message>
    <message>
        <source>It is in the trash. Restore it and import again to have what is new.</source>
        <translation>Elle est dans la corbeille. Restaurez-la et importez à nouveau pour récupérer ce qui est nouveau.</translation>
    </message>
    <message>
        <source>It was deleted for good.</source>
        <translation>Elle a été supprimée définitivement.</translation>
    </message>
    <message>
        <source>An import is running already.</source>
        <translation>Un import est déjà en cours.</translation>
    </message>
    <message>
        <source>Some characters could not be read and are shown as �.</source>
        <translation>Certains caractères n’ont pas pu être lus et sont remplacés par �.</translation>
    </message>
    <message>
        <source>The virus scanner found something in this file, so it was kept out.</source>
        <translation>L’antivirus a trouvé quelque chose dans ce fichier, il a donc été refusé.</translation>
    </message>
    <message numerus="yes">
        <source>{count} prompts were imported, too.</source>
        <comment>{count} prompt was imported, too.</comment>
        <translation>
            <numerusform>{count} prompt a aussi été importé.</numerusform>
            <numerusform>{count} prompts ont aussi été importés.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} drafts were imported, too.</source>
        <comment>{count} draft was imported, too.</comment>
        <translation>
            <numerusform>{count} brouillon a aussi été importé.</numerusform>
            <numerusform>{count} brouillons ont aussi été importés.</numerusform>
        </translation>
    </message>
    <message>
        <source>What was imported so far is complete. Import the same file again to continue.</source>
        <translation>Ce qui a été importé jusqu’ici est complet. Importez à nouveau le même fichier pour continuer.</translation>
    </message>
    <message>
        <source>{name} is not a file.</source>
        <translation>{name} n’est pas un fichier.</translation>
    </message>
    <message>
        <source>Choose the export itself.</source>
        <translation>Choisissez l’export lui-même.</translation>
    </message>
    <message>
        <source>This backup contains Cherry Studio&apos;s database as it is, which ChatDesk cannot read.</source>
        <translation>Cette sauvegarde contient la base de Cherry Studio telle quelle, que ChatDesk ne peut pas lire.</translation>
    </message>
    <message>
        <source>In Cherry Studio open Settings, Data Settings, Export to Phone, and export to a file.</source>
        <translation>Dans Cherry Studio, ouvrez Settings, Data Settings, Export to Phone, et exportez vers un fichier.</translation>
    </message>
    <message>
        <source>This is a page to be read, not the data of an export.</source>
        <translation>C’est une page à lire, pas les données d’un export.</translation>
    </message>
    <message>
        <source>Choose the zip file of the export as it came. If it contains only pages, ask for it again with JSON as its format: Google Takeout has a choice for that.</source>
        <translation>Choisissez le fichier zip de l’export tel qu’il est arrivé. S’il ne contient que des pages, redemandez-le au format JSON&#xa0;: Google Takeout laisse choisir le format.</translation>
    </message>
    <message>
        <source>Choose an export of one of these programs: {programs}.</source>
        <translation>Choisissez un export de l’un de ces programmes&#xa0;: {programs}.</translation>
    </message>
    <message>
        <source>There is nothing in this folder that ChatDesk can import.</source>
        <translation>Il n’y a rien dans ce dossier que ChatDesk puisse importer.</translation>
    </message>
    <message>
        <source>There is nothing in this file that ChatDesk can import.</source>
        <translation>Il n’y a rien dans ce fichier que ChatDesk puisse importer.</translation>
    </message>
    <message>
        <source>This file is not an export that ChatDesk knows.</source>
        <translation>Ce fichier n’est pas un export que ChatDesk connaît.</translation>
    </message>
    <message>
        <source>{name} is cut off: its end is missing.</source>
        <translation>{name} est coupé&#xa0;: il en manque la fin.</translation>
    </message>
    <message>
        <source>{name} could not be read: {reason}.</source>
        <translation>{name} n’a pas pu être lu&#xa0;: {reason}.</translation>
    </message>
    <message>
        <source>Check the file.</source>
        <translation>Vérifiez le fichier.</translation>
    </message>
    <message>
        <source>This folder contains far more files than a program&apos;s chats would have.</source>
        <translation>Ce dossier contient bien plus de fichiers que les discussions d’un programme.</translation>
    </message>
    <message>
        <source>Choose the folder of the chats.</source>
        <translation>Choisissez le dossier des discussions.</translation>
    </message>
    <message>
        <source>The page of releases does not say which version is the newest.</source>
        <translation>La page des versions n’indique pas laquelle est la plus récente.</translation>
    </message>
    <message>
        <source>Installed from a package: the updates of this computer bring new versions, such as “apt upgrade”.</source>
        <translation>Installé depuis un paquet&#xa0;: les mises à jour de cet ordinateur apportent les nouvelles versions, comme «&#xa0;apt upgrade&#xa0;».</translation>
    </message>
    <message>
        <source>Installed as a Flatpak: the updates of this computer bring new versions, or “flatpak update”.</source>
        <translation>Installé comme Flatpak&#xa0;: les mises à jour de cet ordinateur apportent les nouvelles versions, ou «&#xa0;flatpak update&#xa0;».</translation>
    </message>
    <message>
        <source>Installed as a snap: the system brings new versions by itself.</source>
        <translation>Installé comme snap&#xa0;: le système apporte automatiquement les nouvelles versions.</translation>
    </message>
    <message>
        <source>Installed with pipx: “pipx upgrade chatdesk” brings a new version.</source>
        <translation>Installé avec pipx&#xa0;: «&#xa0;pipx upgrade chatdesk&#xa0;» apporte une nouvelle version.</translation>
    </message>
    <message>
        <source>Installed with pip: “pip install --upgrade chatdesk” brings a new version.</source>
        <translation>Installé avec pip&#xa0;: «&#xa0;pip install --upgrade chatdesk&#xa0;» apporte une nouvelle version.</translation>
    </message>
    <message>
        <source>A checkout: “git pull” brings a new version.</source>
        <translation>Une copie de travail git&#xa0;: «&#xa0;git pull&#xa0;» apporte une nouvelle version.</translation>
    </message>
    <message>
        <source>The portable program: start a newer .run file once to put a new version in its place.</source>
        <translation>Le programme portable&#xa0;: démarrez une fois un fichier .run plus récent pour le remplacer par une nouvelle version.</translation>
    </message>
    <message>
        <source>This copy does not update itself: unpack a newer one in its place.</source>
        <translation>Cette copie ne se met pas à jour elle-même&#xa0;: décompressez-en une plus récente à sa place.</translation>
    </message>
    <message>
        <source>January</source>
        <translation>janvier</translation>
    </message>
    <message>
        <source>February</source>
        <translation>février</translation>
    </message>
    <message>
        <source>March</source>
        <translation>mars</translation>
    </message>
    <message>
        <source>April</source>
        <translation>avril</translation>
    </message>
    <message>
        <source>May</source>
        <translation>mai</translation>
    </message>
    <message>
        <source>June</source>
        <translation>juin</translation>
    </message>
    <message>
        <source>July</source>
        <translation>juillet</translation>
    </message>
    <message>
        <source>August</source>
        <translation>août</translation>
    </message>
    <message>
        <source>September</source>
        <translation>septembre</translation>
    </message>
    <message>
        <source>October</source>
        <translation>octobre</translation>
    </message>
    <message>
        <source>November</source>
        <translation>novembre</translation>
    </message>
    <message>
        <source>December</source>
        <translation>décembre</translation>
    </message>
    <message>
        <source>There may be {most_limits} limits, one of a kind for each period.</source>
        <translation>Il peut y avoir {most_limits} limites, une de chaque type par période.</translation>
    </message>
    <message>
        <source>The old limits hold on.</source>
        <translation>Les anciennes limites restent en vigueur.</translation>
    </message>
    <message>
        <source>Remove one of them.</source>
        <translation>Retirez l’une d’elles.</translation>
    </message>
    <message>
        <source>The warning at {amount} {name} is passed: with this question it is about {spent}.</source>
        <translation>L’avertissement à {amount} {name} est dépassé&#xa0;: avec cette question, cela fait environ {spent}.</translation>
    </message>
    <message>
        <source>Nothing is sent beyond {amount}.</source>
        <translation>Rien n’est envoyé au-delà de {amount}.</translation>
    </message>
    <message>
        <source>Titles and summaries wait.</source>
        <translation>Les titres et les résumés attendent.</translation>
    </message>
    <message>
        <source>A limit must be a number from 0 on.</source>
        <translation>Une limite doit être un nombre supérieur ou égal à 0.</translation>
    </message>
    <message>
        <source>Correct the number.</source>
        <translation>Corrigez le nombre.</translation>
    </message>
    <message>
        <source>The warning {name} is above its stop.</source>
        <translation>L’avertissement {name} dépasse son seuil d’arrêt.</translation>
    </message>
    <message>
        <source>The limit starts again {end}. Raise it, or send this question anyway.</source>
        <translation>La limite repart de zéro {end}. Relevez-la, ou envoyez quand même cette question.</translation>
    </message>
    <message>
        <source>Give the warning a smaller number.</source>
        <translation>Donnez à l’avertissement un nombre plus petit.</translation>
    </message>
    <message>
        <source>tomorrow</source>
        <translation>demain</translation>
    </message>
    <message>
        <source>on {day} {month}</source>
        <translation>le {day} {month}</translation>
    </message>
    <message>
        <source>The limit of {amount} {name} is reached: {spent} are used.</source>
        <translation>La limite de {amount} {name} est atteinte&#xa0;: {spent} déjà utilisés.</translation>
    </message>
    <message>
        <source>The limit of {amount} {name} is reached: {spent} are used and this question needs about {needed}.</source>
        <translation>La limite de {amount} {name} est atteinte&#xa0;: {spent} déjà utilisés, et cette question demande environ {needed}.</translation>
    </message>
    <message>
        <source>I am the **demo model** that comes with ChatDesk. I cannot work on this, but a model that you connect can.</source>
        <translation>Je suis le **modèle de démonstration** de ChatDesk. Je ne peux pas y travailler, mais un modèle que vous connecterez le pourra.</translation>
    </message>
    <message>
        <source>This is where a real model would answer. I am the **demo model**: I need no network, and I know nothing.</source>
        <translation>C’est ici qu’un vrai modèle répondrait. Je suis le **modèle de démonstration**&#xa0;: je n’ai pas besoin de réseau, et je ne sais rien.</translation>
    </message>
    <message>
        <source>A good question for a real model! I am the **demo model** and can only show what ChatDesk does.</source>
        <translation>Une bonne question pour un vrai modèle&#xa0;! Je suis le **modèle de démonstration** et je montre seulement ce que fait ChatDesk.</translation>
    </message>
    <message>
        <source>I am the **demo model** and cannot work on this. Here is how ChatDesk shows such an answer:</source>
        <translation>Je suis le **modèle de démonstration** et je ne peux pas y travailler. Voici comment ChatDesk affiche une telle réponse&#xa0;:</translation>
    </message>
    <message>
        <source>A real model would answer here. This is what its answer could look like:</source>
        <translation>Ici, un vrai modèle répondrait. Voici à quoi sa réponse pourrait ressembler&#xa0;:</translation>
    </message>
    <message>
        <source>I know nothing, but I can show you how such an answer looks in ChatDesk:</source>
        <translation>Je ne sais rien, mais je peux vous montrer à quoi ressemble une telle réponse dans ChatDesk&#xa0;:</translation>
    </message>
    <message>
        <source>This was the **demo model**, which comes with ChatDesk. To get real answers choose *Add provider…* in the list of models at the top. `/demo` lists what else I can show.</source>
        <translation>C’était le **modèle de démonstration** de ChatDesk. Pour de vraies réponses, choisissez *Ajouter un fournisseur…* dans la liste des modèles en haut. `/demo` énumère ce que je peux montrer d’autre.</translation>
    </message>
    <message>
        <source>Hello!</source>
        <translation>Bonjour&#xa0;!</translation>
    </message>
    <message>
        <source>Try one of these with me:</source>
        <translation>Essayez avec moi&#xa0;:</translation>
    </message>
    <message>
        <source>To get real answers choose *Add provider…* in the list of models at the top.</source>
        <translation>Pour de vraies réponses, choisissez *Ajouter un fournisseur…* dans la liste des modèles en haut.</translation>
    </message>
    <message>
        <source>Ask for</source>
        <translation>Demandez</translation>
    </message>
    <message>
        <source>and see</source>
        <translation>et voyez</translation>
    </message>
    <message>
        <source>*a tour*</source>
        <translation>*une visite*</translation>
    </message>
    <message>
        <source>what ChatDesk can do</source>
        <translation>ce que ChatDesk sait faire</translation>
    </message>
    <message>
        <source>*code*, *a table*, *a formula*, *a plan*</source>
        <translation>*du code*, *un tableau*, *une formule*, *un plan*</translation>
    </message>
    <message>
        <source>how an answer is drawn</source>
        <translation>comment une réponse est affichée</translation>
    </message>
    <message>
        <source>a long answer, to scroll and to stop</source>
        <translation>une longue réponse, à faire défiler et à arrêter</translation>
    </message>
    <message>
        <source>what happens when a connection breaks</source>
        <translation>ce qui se passe quand une connexion se coupe</translation>
    </message>
    <message>
        <source>everything else</source>
        <translation>tout le reste</translation>
    </message>
    <message>
        <source>I am the **demo model**. I come with ChatDesk, need no network and no account, and know nothing; but I can show you what ChatDesk does with the answers of a real model.</source>
        <translation>Je suis le **modèle de démonstration**. Je suis fourni avec ChatDesk, je n’ai besoin ni de réseau ni de compte, et je ne sais rien&#xa0;; mais je peux vous montrer ce que ChatDesk fait des réponses d’un vrai modèle.</translation>
    </message>
    <message>
        <source>What you can do</source>
        <translation>Ce que vous pouvez faire</translation>
    </message>
    <message>
        <source>How</source>
        <translation>Comment</translation>
    </message>
    <message>
        <source>Ask again, or another model</source>
        <translation>Redemander, ou demander à un autre modèle</translation>
    </message>
    <message>
        <source>the buttons below an answer, or Ctrl+R</source>
        <translation>les boutons sous une réponse, ou Ctrl+R</translation>
    </message>
    <message>
        <source>Change a question</source>
        <translation>Modifier une question</translation>
    </message>
    <message>
        <source>its pencil; the old version stays</source>
        <translation>son crayon&#xa0;; l’ancienne version reste</translation>
    </message>
    <message>
        <source>Try another direction</source>
        <translation>Essayer une autre voie</translation>
    </message>
    <message>
        <source>*Branch* in the menu of a message</source>
        <translation>*Créer une branche dans une nouvelle conversation* dans le menu d’un message</translation>
    </message>
    <message>
        <source>Ask several models at once</source>
        <translation>Interroger plusieurs modèles à la fois</translation>
    </message>
    <message>
        <source>*Compare models…* in the list of models</source>
        <translation>*Comparer des modèles…* dans la liste des modèles</translation>
    </message>
    <message>
        <source>Attach a file or a picture</source>
        <translation>Joindre un fichier ou une image</translation>
    </message>
    <message>
        <source>drop it on the window, or paste it</source>
        <translation>déposez-le sur la fenêtre, ou collez-le</translation>
    </message>
    <message>
        <source>Stop an answer</source>
        <translation>Arrêter une réponse</translation>
    </message>
    <message>
        <source>Esc</source>
        <translation>Échap</translation>
    </message>
    <message>
        <source>**Ctrl+K** finds every word of every thread, **Ctrl+Shift+P** every command, and **F1** opens the help.</source>
        <translation>**Ctrl+K** trouve n’importe quel mot de vos conversations, **Ctrl+Maj+P** n’importe quelle commande, et **F1** ouvre l’aide.</translation>
    </message>
    <message>
        <source>Projects, tags, pins and an archive keep order; what was deleted waits in the trash.</source>
        <translation>Projets, étiquettes, épingles et archives mettent de l’ordre&#xa0;; ce qui a été supprimé attend dans la corbeille.</translation>
    </message>
    <message>
        <source>Everything is on this computer. *Import…* takes over what you have in ChatGPT, Claude and others.</source>
        <translation>Tout est sur cet ordinateur. *Importer…* reprend ce que vous avez dans ChatGPT, Claude et d’autres.</translation>
    </message>
    <message>
        <source>The window closes at any time: no word is lost, and an answer can be continued.</source>
        <translation>Vous pouvez fermer la fenêtre à tout moment&#xa0;: aucun mot n’est perdu, et une réponse peut être continuée.</translation>
    </message>
    <message>
        <source>Choose *Add provider…* in the list of models at the top, and paste a key.</source>
        <translation>Choisissez *Ajouter un fournisseur…* dans la liste des modèles en haut, et collez une clé.</translation>
    </message>
    <message>
        <source>Or start a server on this computer, such as Ollama: it is found by itself.</source>
        <translation>Ou démarrez un serveur sur cet ordinateur, comme Ollama&#xa0;: il est détecté automatiquement.</translation>
    </message>
    <message>
        <source>Type `/demo` to see what else I can show.</source>
        <translation>Saisissez `/demo` pour voir ce que je peux montrer d’autre.</translation>
    </message>
    <message>
        <source>Answers</source>
        <translation>Réponses</translation>
    </message>
    <message>
        <source>Code has colours, a button to copy it, and scrolls on its own:</source>
        <translation>Le code a des couleurs, un bouton pour le copier, et défile à part&#xa0;:</translation>
    </message>
    <message>
        <source>Formulas are drawn, {formula}, and tables are tables:</source>
        <translation>Les formules sont dessinées, {formula}, et les tableaux sont des tableaux&#xa0;:</translation>
    </message>
    <message>
        <source>Your threads</source>
        <translation>Vos conversations</translation>
    </message>
    <message>
        <source>Next</source>
        <comment>steps</comment>
        <translation>Ensuite</translation>
    </message>
    <message>
        <source>Tools</source>
        <translation>Outils</translation>
    </message>
    <message>
        <source>Embeddings</source>
        <translation>Embeddings</translation>
    </message>
    <message>
        <source>Week of {words}</source>
        <translation>Semaine du {words}</translation>
    </message>
    <message>
        <source>The server&apos;s own model</source>
        <translation>Le modèle du serveur</translation>
    </message>
    <message>
        <source>A project that is gone</source>
        <translation>Un projet disparu</translation>
    </message>
    <message>
        <source>No project</source>
        <translation>Aucun projet</translation>
    </message>
    <message>
        <source>There is no such token.</source>
        <translation>Ce jeton n’existe pas.</translation>
    </message>
    <message>
        <source>&apos;chatdesk tokens list&apos; shows them all.</source>
        <translation>«&#xa0;chatdesk tokens list&#xa0;» les affiche tous.</translation>
    </message>
    <message>
        <source>A token needs a name.</source>
        <translation>Un jeton doit avoir un nom.</translation>
    </message>
    <message>
        <source>Give it the name of the program that will use it.</source>
        <translation>Donnez-lui le nom du programme qui l’utilisera.</translation>
    </message>
    <message>
        <source>There is already a token called “{name}”.</source>
        <translation>Il y a déjà un jeton nommé «&#xa0;{name}&#xa0;».</translation>
    </message>
    <message>
        <source>The folder of the tokens, {folder}, cannot be written to: {reason}.</source>
        <translation>Impossible d’écrire dans le dossier des jetons, {folder}&#xa0;: {reason}.</translation>
    </message>
    <message>
        <source>Make it writable; on Linux XDG_STATE_HOME may name another place, here and for the service.</source>
        <translation>Rendez-le accessible en écriture&#xa0;; sous Linux, XDG_STATE_HOME peut désigner un autre endroit, ici et pour le service.</translation>
    </message>
    <message>
        <source>owner</source>
        <comment>data directory</comment>
        <translation>détenteur</translation>
    </message>
    <message>
        <source>complete</source>
        <translation>terminée</translation>
    </message>
    <message>
        <source>database</source>
        <translation>base de données</translation>
    </message>
    <message>
        <source>settings</source>
        <translation>paramètres</translation>
    </message>
    <message>
        <source>valid</source>
        <translation>valides</translation>
    </message>
    <message>
        <source>{key} (on, {until})</source>
        <translation>{key} (activé, {until})</translation>
    </message>
    <message>
        <source>{key} (off, {until})</source>
        <translation>{key} (désactivé, {until})</translation>
    </message>
    <message>
        <source>valid; tried out until the day given: {trials}</source>
        <translation>valides&#xa0;; à l’essai jusqu’au jour indiqué&#xa0;: {trials}</translation>
    </message>
    <message>
        <source>{path} (made when the first thread is)</source>
        <translation>{path} (créé avec la première conversation)</translation>
    </message>
    <message>
        <source>Restore a backup (&apos;chatdesk restore --list&apos;; they are in {backup_dir}), or copy out what reads with &apos;chatdesk doctor --repair&apos;.</source>
        <translation>Restaurez une sauvegarde («&#xa0;chatdesk restore --list&#xa0;»&#xa0;; elles sont dans {backup_dir}), ou copiez ce qui est lisible avec «&#xa0;chatdesk doctor --repair&#xa0;».</translation>
    </message>
    <message>
        <source>&apos;chatdesk doctor --repair&apos; repairs it.</source>
        <translation>«&#xa0;chatdesk doctor --repair&#xa0;» la répare.</translation>
    </message>
    <message numerus="yes">
        <source>{path} is damaged ({count} findings: {first}).</source>
        <comment>{path} is damaged ({count} finding: {first}).</comment>
        <translation>
            <numerusform>{path} est endommagé ({count} constat&#xa0;: {first}).</numerusform>
            <numerusform>{path} est endommagé ({count} constats&#xa0;: {first}).</numerusform>
        </translation>
    </message>
    <message>
        <source>{path} is sound; schema {schema}, SQLite {sqlite}</source>
        <translation>{path} est en bon état&#xa0;; schéma {schema}, SQLite {sqlite}</translation>
    </message>
    <message>
        <source>database opening</source>
        <translation>ouverture de la base</translation>
    </message>
    <message>
        <source>database writing</source>
        <translation>écriture dans la base</translation>
    </message>
    <message>
        <source>workspace {name}</source>
        <translation>espace de travail {name}</translation>
    </message>
    <message>
        <source>{database} on {host}; parked: this profile was restored or repaired, or a copy of it is in use; Connect again in Settings, Team sync, or &apos;chatdesk team join&apos; connects</source>
        <translation>{database} sur {host}&#xa0;; mis de côté&#xa0;: ce profil a été restauré ou réparé, ou une copie en est utilisée&#xa0;; «&#xa0;Se reconnecter&#xa0;» dans Paramètres, Synchronisation d’équipe, ou «&#xa0;chatdesk team join&#xa0;» rétablit la connexion</translation>
    </message>
    <message>
        <source>{shared} shared, {waiting} waiting to be sent, {refused} refused</source>
        <translation>partagés&#xa0;: {shared}&#xa0;; modifications en attente d’envoi&#xa0;: {waiting}, refusées&#xa0;: {refused}</translation>
    </message>
    <message>
        <source>nothing was synced yet</source>
        <translation>rien n’a encore été synchronisé</translation>
    </message>
    <message>
        <source>newest line of its log, {at}: {problem}</source>
        <translation>dernière ligne de son journal, {at}&#xa0;: {problem}</translation>
    </message>
    <message>
        <source>newest line of its log, {at}: {sent} sent, {received} received</source>
        <translation>dernière ligne de son journal, {at}&#xa0;: {sent} envoyées, {received} reçues</translation>
    </message>
    <message>
        <source>Details in the line below the threads says why, copies out, and tries again</source>
        <translation>«&#xa0;Détails…&#xa0;», dans la ligne sous les conversations, dit pourquoi, permet d’en faire une copie et réessaie</translation>
    </message>
    <message>
        <source>{let_in} shared with you again; choose Share… to send their copies</source>
        <translation>{let_in} de nouveau partagés avec vous&#xa0;; choisissez «&#xa0;Partager…&#xa0;» pour envoyer leurs copies</translation>
    </message>
    <message>
        <source>{first}; {rest}</source>
        <translation>{first}&#xa0;; {rest}</translation>
    </message>
    <message>
        <source>provider {name}</source>
        <translation>fournisseur {name}</translation>
    </message>
    <message>
        <source>file of providers</source>
        <translation>fichier des fournisseurs</translation>
    </message>
    <message>
        <source>there is none yet</source>
        <translation>il n’y en a pas encore</translation>
    </message>
    <message>
        <source>A backup in {backup_dir} may still have the original.</source>
        <translation>Une sauvegarde dans {backup_dir} contient peut-être encore l’original.</translation>
    </message>
    <message>
        <source>no window is open and no other command is running</source>
        <translation>aucune fenêtre n’est ouverte et aucune autre commande n’est en cours</translation>
    </message>
    <message>
        <source>a window</source>
        <translation>une fenêtre</translation>
    </message>
    <message>
        <source>{name}, process {pid}</source>
        <translation>{name}, processus {pid}</translation>
    </message>
    <message>
        <source>{who}, does not answer. If it hangs, end it.</source>
        <translation>{who} ne répond pas. S’il est bloqué, mettez-y fin.</translation>
    </message>
    <message>
        <source>{count} {status}</source>
        <translation>{count} {status}</translation>
    </message>
    <message>
        <source>{who}, open for {minutes} min; {late} ms late at most; answers: {answers}; {waiting} waiting.</source>
        <translation>{who}, ouvert depuis {minutes}&#xa0;min&#xa0;; {late}&#xa0;ms de retard au plus&#xa0;; réponses&#xa0;: {answers}&#xa0;; {waiting} en attente.</translation>
    </message>
    <message>
        <source>Its database cannot be read ({reason}).</source>
        <translation>Sa base de données ne peut pas être lue ({reason}).</translation>
    </message>
    <message>
        <source>the last write failed</source>
        <translation>la dernière écriture a échoué</translation>
    </message>
    <message>
        <source>It cannot save ({reason}).</source>
        <translation>Il ne peut pas enregistrer ({reason}).</translation>
    </message>
    <message>
        <source>It reacts late.</source>
        <translation>Il réagit avec retard.</translation>
    </message>
    <message>
        <source>Provider {id} cannot be reached.</source>
        <translation>Le fournisseur {id} est injoignable.</translation>
    </message>
    <message>
        <source>Workspace {workspace}: {reason}.</source>
        <translation>Espace de travail {workspace}&#xa0;: {reason}.</translation>
    </message>
    <message>
        <source>keyring</source>
        <translation>trousseau</translation>
    </message>
    <message>
        <source>{detail} Keys come from variables or an encrypted file, or hold for one run.</source>
        <translation>{detail} Les clés viennent de variables ou d’un fichier chiffré, ou ne restent valables que jusqu’à la fermeture.</translation>
    </message>
    <message>
        <source>{missing} missing or damaged: token counts are estimates.</source>
        <translation>{missing} manquent ou sont endommagés&#xa0;: les comptes de tokens sont des estimations.</translation>
    </message>
    <message>
        <source>token encodings</source>
        <translation>encodages des tokens</translation>
    </message>
    <message>
        <source>both here and intact</source>
        <translation>les deux sont présents et intacts</translation>
    </message>
    <message>
        <source>updates</source>
        <translation>mises à jour</translation>
    </message>
    <message>
        <source>Another process has this data directory open.</source>
        <translation>Un autre processus a ouvert ce dossier de données.</translation>
    </message>
    <message>
        <source>Restore in its window.</source>
        <translation>Restaurez dans sa fenêtre.</translation>
    </message>
    <message>
        <source>The model did not answer within {longest_s} s.</source>
        <translation>Le modèle n’a pas répondu en {longest_s}&#xa0;s.</translation>
    </message>
    <message>
        <source>Read projects, threads and messages</source>
        <translation>Lire les projets, les conversations et les messages</translation>
    </message>
    <message>
        <source>Create, change and trash threads and messages; write notes</source>
        <translation>Créer, modifier et mettre à la corbeille des conversations et des messages&#xa0;; écrire des notes</translation>
    </message>
    <message>
        <source>Ask questions and stop answers</source>
        <translation>Poser des questions et arrêter des réponses</translation>
    </message>
    <message>
        <source>Administer ChatDesk</source>
        <translation>Administrer ChatDesk</translation>
    </message>
    <message>
        <source>Connect from another computer</source>
        <translation>Se connecter depuis un autre ordinateur</translation>
    </message>
    <message>
        <source>The local service is off.</source>
        <translation>Le service local est désactivé.</translation>
    </message>
    <message>
        <source>Turn it on in the settings.</source>
        <translation>Activez-le dans les paramètres.</translation>
    </message>
    <message>
        <source>Close it first, or choose another --data-dir.</source>
        <translation>Fermez-le d’abord, ou choisissez un autre --data-dir.</translation>
    </message>
    <message>
        <source>The local service ended because of a fault in ChatDesk.</source>
        <translation>Le service local s’est arrêté à cause d’une erreur interne de ChatDesk.</translation>
    </message>
    <message>
        <source>Try again; the log says more.</source>
        <translation>Réessayez&#xa0;; le journal en dit plus.</translation>
    </message>
    <message>
        <source>You: {question}</source>
        <translation>Vous&#xa0;: {question}</translation>
    </message>
    <message>
        <source>Status: {status}. Thread: {id}.</source>
        <translation>État&#xa0;: {status}. Conversation&#xa0;: {id}.</translation>
    </message>
    <message>
        <source>Screenshot: {path}</source>
        <translation>Capture d’écran&#xa0;: {path}</translation>
    </message>
    <message>
        <source>Screenshot: could not be saved</source>
        <translation>Capture d’écran&#xa0;: n’a pas pu être enregistrée</translation>
    </message>
    <message>
        <source>Something failed that ChatDesk needs to start.</source>
        <translation>Quelque chose dont ChatDesk a besoin pour démarrer a échoué.</translation>
    </message>
    <message>
        <source>Start it again; “chatdesk doctor” and the log say more.</source>
        <translation>Redémarrez-le&#xa0;; «&#xa0;chatdesk doctor&#xa0;» et le journal en disent plus.</translation>
    </message>
    <message>
        <source>Not saved</source>
        <translation>Non enregistré</translation>
    </message>
    <message>
        <source>All changes saved</source>
        <translation>Tout est enregistré</translation>
    </message>
    <message>
        <source>Not opened</source>
        <translation>Non ouverte</translation>
    </message>
    <message>
        <source>Read only</source>
        <translation>Lecture seule</translation>
    </message>
    <message>
        <source>The database was upgraded; a backup of the old one is kept.</source>
        <translation>La base de données a été mise à niveau&#xa0;; une sauvegarde de l’ancienne est conservée.</translation>
    </message>
    <message numerus="yes">
        <source>{count} answers were interrupted last time. The text is kept; Continue goes on.</source>
        <comment>An answer was interrupted last time. The text is kept; Continue goes on.</comment>
        <translation>
            <numerusform>Une réponse a été interrompue la dernière fois. Le texte est conservé&#xa0;; «&#xa0;Continuer&#xa0;» la reprend.</numerusform>
            <numerusform>{count} réponses ont été interrompues la dernière fois. Le texte est conservé&#xa0;; «&#xa0;Continuer&#xa0;» les reprend.</numerusform>
        </translation>
    </message>
    <message>
        <source>ChatDesk ended unexpectedly last time. Your messages are kept.</source>
        <translation>ChatDesk s’est arrêté de façon inattendue la dernière fois. Vos messages sont conservés.</translation>
    </message>
    <message>
        <source>Help</source>
        <translation>Aide</translation>
    </message>
    <message>
        <source>The pages of help are not in this installation of ChatDesk.</source>
        <translation>Les pages d’aide manquent dans cette installation de ChatDesk.</translation>
    </message>
    <message>
        <source>The pages of help open outside of ChatDesk. They are in {page}.</source>
        <translation>Les pages d’aide s’ouvrent en dehors de ChatDesk. Elles sont dans {page}.</translation>
    </message>
    <message>
        <source>Save the report</source>
        <translation>Enregistrer le rapport</translation>
    </message>
    <message>
        <source>Zip (*.zip)</source>
        <translation>Zip (*.zip)</translation>
    </message>
    <message>
        <source>Saved as {name}.</source>
        <translation>Enregistré sous {name}.</translation>
    </message>
    <message>
        <source>{one} and {other}</source>
        <translation>{one} et {other}</translation>
    </message>
    <message>
        <source>No connection to {providers}. Your questions are kept.</source>
        <translation>Pas de connexion à {providers}. Vos questions sont conservées.</translation>
    </message>
    <message numerus="yes">
        <source>No connection to {providers}. {count} questions are kept, and sent when it is back.</source>
        <comment>No connection to {providers}. Your question is kept, and sent when it is back.</comment>
        <translation>
            <numerusform>Pas de connexion à {providers}. Votre question est conservée, et sera envoyée au retour de la connexion.</numerusform>
            <numerusform>Pas de connexion à {providers}. {count} questions sont conservées, et seront envoyées au retour de la connexion.</numerusform>
        </translation>
    </message>
    <message>
        <source>Close a window first: {count} are open.</source>
        <translation>Fermez d’abord une fenêtre&#xa0;: {count} sont ouvertes.</translation>
    </message>
    <message>
        <source>A temporary chat stays in its place. Keep it to open it elsewhere.</source>
        <translation>Une discussion temporaire reste à sa place. Gardez-la pour l’ouvrir ailleurs.</translation>
    </message>
    <message>
        <source>My message is in the attached file, because it is too long to be sent whole.</source>
        <translation>Mon message est dans le fichier joint, car il est trop long pour être envoyé en entier.</translation>
    </message>
    <message>
        <source>Sent as a file, from which the model gets what fits</source>
        <translation>Envoyé comme fichier, dont le modèle reçoit ce que sa fenêtre peut contenir</translation>
    </message>
    <message>
        <source>Type a message</source>
        <translation>Écrivez un message</translation>
    </message>
    <message>
        <source>New thread</source>
        <translation>Nouvelle conversation</translation>
    </message>
    <message>
        <source>New temporary chat</source>
        <translation>Nouvelle discussion temporaire</translation>
    </message>
    <message>
        <source>Keep this temporary chat</source>
        <translation>Garder cette discussion temporaire</translation>
    </message>
    <message>
        <source>Close the temporary chat</source>
        <translation>Fermer la discussion temporaire</translation>
    </message>
    <message>
        <source>Rename thread</source>
        <translation>Renommer la conversation</translation>
    </message>
    <message>
        <source>Pin or unpin thread</source>
        <translation>Épingler ou désépingler la conversation</translation>
    </message>
    <message>
        <source>Mark as read</source>
        <translation>Marquer comme lue</translation>
    </message>
    <message>
        <source>Archive thread, or take it out</source>
        <translation>Archiver ou désarchiver la conversation</translation>
    </message>
    <message>
        <source>Move to a project…</source>
        <translation>Déplacer vers un projet…</translation>
    </message>
    <message>
        <source>Tags of the thread…</source>
        <translation>Étiquettes de la conversation…</translation>
    </message>
    <message>
        <source>Restore from the trash</source>
        <translation>Restaurer de la corbeille</translation>
    </message>
    <message>
        <source>Mark all threads of the list</source>
        <translation>Cocher toutes les conversations de la liste</translation>
    </message>
    <message>
        <source>Ctrl+A in the list</source>
        <translation>Ctrl+A dans la liste</translation>
    </message>
    <message>
        <source>System prompt…</source>
        <translation>Prompt système…</translation>
    </message>
    <message>
        <source>Choose the model…</source>
        <translation>Choisir le modèle…</translation>
    </message>
    <message>
        <source>Parameters…</source>
        <translation>Paramètres du modèle…</translation>
    </message>
    <message>
        <source>Copy thread</source>
        <translation>Copier la conversation</translation>
    </message>
    <message>
        <source>Copy link to the thread</source>
        <translation>Copier le lien de la conversation</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>Exporter…</translation>
    </message>
    <message>
        <source>Export thread as Markdown…</source>
        <translation>Exporter la conversation en Markdown…</translation>
    </message>
    <message>
        <source>Export thread as JSON…</source>
        <translation>Exporter la conversation en JSON…</translation>
    </message>
    <message>
        <source>Delete thread</source>
        <translation>Supprimer la conversation</translation>
    </message>
    <message>
        <source>Del in the list</source>
        <translation>Suppr dans la liste</translation>
    </message>
    <message>
        <source>Erase thread for everyone…</source>
        <translation>Effacer la conversation pour tous…</translation>
    </message>
    <message>
        <source>Undo the last change</source>
        <translation>Annuler la dernière modification</translation>
    </message>
    <message>
        <source>Redo what was undone</source>
        <translation>Rétablir ce qui a été annulé</translation>
    </message>
    <message>
        <source>Switch project…</source>
        <translation>Changer de projet…</translation>
    </message>
    <message>
        <source>New project…</source>
        <translation>Nouveau projet…</translation>
    </message>
    <message>
        <source>Edit project…</source>
        <translation>Modifier le projet…</translation>
    </message>
    <message>
        <source>Files of the project…</source>
        <translation>Fichiers du projet…</translation>
    </message>
    <message>
        <source>Memory…</source>
        <translation>Mémoire…</translation>
    </message>
    <message>
        <source>System prompt of the project…</source>
        <translation>Prompt système du projet…</translation>
    </message>
    <message>
        <source>Parameters of the project…</source>
        <translation>Paramètres de modèle du projet…</translation>
    </message>
    <message>
        <source>Share project, or change its sharing…</source>
        <translation>Partager le projet, ou modifier son partage…</translation>
    </message>
    <message>
        <source>Archive project, or take it out</source>
        <translation>Archiver ou désarchiver le projet</translation>
    </message>
    <message>
        <source>Delete project…</source>
        <translation>Supprimer le projet…</translation>
    </message>
    <message>
        <source>All tags…</source>
        <translation>Toutes les étiquettes…</translation>
    </message>
    <message>
        <source>Stop the answer</source>
        <translation>Arrêter la réponse</translation>
    </message>
    <message>
        <source>Go to the call that waits for approval</source>
        <translation>Aller à l’appel qui attend votre accord</translation>
    </message>
    <message>
        <source>Review proposed changes to files</source>
        <translation>Examiner les changements de fichiers proposés</translation>
    </message>
    <message>
        <source>Add as note</source>
        <translation>Ajouter comme note</translation>
    </message>
    <message>
        <source>Regenerate the last answer</source>
        <translation>Régénérer la dernière réponse</translation>
    </message>
    <message>
        <source>Regenerate with another model…</source>
        <translation>Régénérer avec un autre modèle…</translation>
    </message>
    <message>
        <source>Compare models…</source>
        <translation>Comparer des modèles…</translation>
    </message>
    <message>
        <source>Edit my last message</source>
        <translation>Modifier mon dernier message</translation>
    </message>
    <message>
        <source>Up in an empty composer</source>
        <translation>Flèche haut dans une zone de saisie vide</translation>
    </message>
    <message>
        <source>Edit the answer</source>
        <translation>Modifier la réponse</translation>
    </message>
    <message>
        <source>Open the page of an answer in the browser</source>
        <translation>Ouvrir la page d’une réponse dans le navigateur</translation>
    </message>
    <message>
        <source>Stop the answer and send the waiting question</source>
        <translation>Arrêter la réponse et envoyer la question en attente</translation>
    </message>
    <message>
        <source>Edit the last waiting question</source>
        <translation>Modifier la dernière question en attente</translation>
    </message>
    <message>
        <source>Attach files…</source>
        <translation>Joindre des fichiers…</translation>
    </message>
    <message>
        <source>Insert a prompt…</source>
        <translation>Insérer un prompt…</translation>
    </message>
    <message>
        <source>/ in an empty line</source>
        <translation>/ sur une ligne vide</translation>
    </message>
    <message>
        <source>Save as prompt…</source>
        <translation>Enregistrer comme prompt…</translation>
    </message>
    <message>
        <source>Prompts…</source>
        <translation>Prompts…</translation>
    </message>
    <message>
        <source>Choose assistant…</source>
        <translation>Choisir un assistant…</translation>
    </message>
    <message>
        <source>@ for one question</source>
        <translation>@ pour une question</translation>
    </message>
    <message>
        <source>Copy the last answer</source>
        <translation>Copier la dernière réponse</translation>
    </message>
    <message>
        <source>Copy the selection as Markdown</source>
        <translation>Copier la sélection en Markdown</translation>
    </message>
    <message>
        <source>Copy the selection as plain text</source>
        <translation>Copier la sélection en texte brut</translation>
    </message>
    <message>
        <source>Copy the selection as rich text</source>
        <translation>Copier la sélection en texte enrichi</translation>
    </message>
    <message>
        <source>Copy link to the message</source>
        <translation>Copier le lien du message</translation>
    </message>
    <message>
        <source>Quote the selection in the composer</source>
        <translation>Citer la sélection dans la zone de saisie</translation>
    </message>
    <message>
        <source>Remember the selection…</source>
        <translation>Mémoriser la sélection…</translation>
    </message>
    <message>
        <source>Previous version</source>
        <translation>Version précédente</translation>
    </message>
    <message>
        <source>Next version</source>
        <translation>Version suivante</translation>
    </message>
    <message>
        <source>Compare versions</source>
        <translation>Comparer les versions</translation>
    </message>
    <message>
        <source>Continue the answer</source>
        <translation>Continuer la réponse</translation>
    </message>
    <message>
        <source>Ask for a shorter answer</source>
        <translation>Demander une réponse plus courte</translation>
    </message>
    <message>
        <source>Ask for a longer answer</source>
        <translation>Demander une réponse plus longue</translation>
    </message>
    <message>
        <source>Branch into a new thread</source>
        <translation>Créer une branche dans une nouvelle conversation</translation>
    </message>
    <message>
        <source>Open code or a file as artifact</source>
        <translation>Ouvrir du code ou un fichier comme artefact</translation>
    </message>
    <message>
        <source>Pin into the context, or unpin</source>
        <translation>Fixer dans le contexte, ou ne plus fixer</translation>
    </message>
    <message>
        <source>Exclude from the context, or include</source>
        <translation>Exclure du contexte, ou inclure</translation>
    </message>
    <message>
        <source>Start the context here</source>
        <translation>Commencer le contexte ici</translation>
    </message>
    <message>
        <source>Start the context at the beginning</source>
        <translation>Commencer le contexte au début</translation>
    </message>
    <message>
        <source>Delete the message</source>
        <translation>Supprimer le message</translation>
    </message>
    <message>
        <source>Search everything…</source>
        <translation>Rechercher partout…</translation>
    </message>
    <message>
        <source>Filter the list of threads</source>
        <translation>Filtrer la liste des conversations</translation>
    </message>
    <message>
        <source>Find in thread</source>
        <translation>Rechercher dans la conversation</translation>
    </message>
    <message>
        <source>Next match</source>
        <translation>Résultat suivant</translation>
    </message>
    <message>
        <source>Previous match</source>
        <translation>Résultat précédent</translation>
    </message>
    <message>
        <source>Show the questions of this thread</source>
        <translation>Afficher les questions de cette conversation</translation>
    </message>
    <message>
        <source>Jump to a date…</source>
        <translation>Aller à une date…</translation>
    </message>
    <message>
        <source>Go to the composer</source>
        <translation>Aller à la zone de saisie</translation>
    </message>
    <message>
        <source>Previous thread</source>
        <translation>Conversation précédente</translation>
    </message>
    <message>
        <source>Next thread</source>
        <translation>Conversation suivante</translation>
    </message>
    <message>
        <source>Next part of the window</source>
        <translation>Partie suivante de la fenêtre</translation>
    </message>
    <message>
        <source>Previous part of the window</source>
        <translation>Partie précédente de la fenêtre</translation>
    </message>
    <message>
        <source>Show or hide the sidebar</source>
        <translation>Afficher ou masquer le panneau latéral</translation>
    </message>
    <message>
        <source>Show threads</source>
        <translation>Afficher les conversations</translation>
    </message>
    <message>
        <source>Show the archive</source>
        <translation>Afficher les archives</translation>
    </message>
    <message>
        <source>Show the trash</source>
        <translation>Afficher la corbeille</translation>
    </message>
    <message>
        <source>Deleted messages…</source>
        <translation>Messages supprimés…</translation>
    </message>
    <message>
        <source>Empty the trash…</source>
        <translation>Vider la corbeille…</translation>
    </message>
    <message>
        <source>Sort threads by name or by last activity</source>
        <translation>Trier les conversations par nom ou dernière activité</translation>
    </message>
    <message>
        <source>Group threads by project or by date</source>
        <translation>Regrouper les conversations par projet ou date</translation>
    </message>
    <message>
        <source>Wider sidebar</source>
        <translation>Panneau latéral plus large</translation>
    </message>
    <message>
        <source>Narrower sidebar</source>
        <translation>Panneau latéral plus étroit</translation>
    </message>
    <message>
        <source>Show or hide the inspector</source>
        <translation>Afficher ou masquer l’inspecteur</translation>
    </message>
    <message>
        <source>Show what the model will see</source>
        <translation>Afficher ce que le modèle verra</translation>
    </message>
    <message>
        <source>Show the summary of older messages</source>
        <translation>Afficher le résumé des messages anciens</translation>
    </message>
    <message>
        <source>Show what this thread used</source>
        <translation>Afficher ce que cette conversation a utilisé</translation>
    </message>
    <message>
        <source>Show the tree of versions</source>
        <translation>Afficher l’arbre des versions</translation>
    </message>
    <message>
        <source>Show the artifacts of this thread</source>
        <translation>Afficher les artefacts de cette conversation</translation>
    </message>
    <message>
        <source>Switch theme</source>
        <translation>Changer de thème</translation>
    </message>
    <message>
        <source>Larger text</source>
        <translation>Texte plus grand</translation>
    </message>
    <message>
        <source>Smaller text</source>
        <translation>Texte plus petit</translation>
    </message>
    <message>
        <source>Normal text size</source>
        <translation>Taille de texte normale</translation>
    </message>
    <message>
        <source>Show or hide the menu bar</source>
        <translation>Afficher ou masquer la barre de menus</translation>
    </message>
    <message>
        <source>Add a provider…</source>
        <translation>Ajouter un fournisseur…</translation>
    </message>
    <message>
        <source>Tools…</source>
        <translation>Outils…</translation>
    </message>
    <message>
        <source>Manage models…</source>
        <translation>Gérer les modèles…</translation>
    </message>
    <message>
        <source>Import…</source>
        <translation>Importer…</translation>
    </message>
    <message>
        <source>Back up now</source>
        <translation>Sauvegarder maintenant</translation>
    </message>
    <message>
        <source>Restore a backup…</source>
        <translation>Restaurer une sauvegarde…</translation>
    </message>
    <message>
        <source>Check the database</source>
        <translation>Vérifier la base de données</translation>
    </message>
    <message>
        <source>Repair the database</source>
        <translation>Réparer la base de données</translation>
    </message>
    <message>
        <source>Quick question</source>
        <translation>Question rapide</translation>
    </message>
    <message>
        <source>All commands…</source>
        <translation>Toutes les commandes…</translation>
    </message>
    <message>
        <source>Settings…</source>
        <translation>Paramètres…</translation>
    </message>
    <message>
        <source>Team sync…</source>
        <translation>Synchronisation d’équipe…</translation>
    </message>
    <message>
        <source>Join a workspace…</source>
        <translation>Rejoindre un espace de travail…</translation>
    </message>
    <message>
        <source>Invite to the workspace…</source>
        <translation>Inviter dans l’espace de travail…</translation>
    </message>
    <message>
        <source>Sync now</source>
        <translation>Synchroniser maintenant</translation>
    </message>
    <message>
        <source>Details of team sync…</source>
        <translation>Détails de la synchronisation…</translation>
    </message>
    <message>
        <source>Usage…</source>
        <translation>Utilisation…</translation>
    </message>
    <message>
        <source>Messages that wait to be sent…</source>
        <translation>Messages en attente d’envoi…</translation>
    </message>
    <message>
        <source>Limits…</source>
        <translation>Limites…</translation>
    </message>
    <message>
        <source>Report a problem…</source>
        <translation>Signaler un problème…</translation>
    </message>
    <message>
        <source>Updates…</source>
        <translation>Mises à jour…</translation>
    </message>
    <message>
        <source>About ChatDesk</source>
        <translation>À propos de ChatDesk</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>Quitter</translation>
    </message>
    <message>
        <source>Thread</source>
        <translation>Conversation</translation>
    </message>
    <message>
        <source>Project</source>
        <translation>Projet</translation>
    </message>
    <message>
        <source>Message</source>
        <translation>Message</translation>
    </message>
    <message>
        <source>Go</source>
        <translation>Aller</translation>
    </message>
    <message>
        <source>View</source>
        <translation>Affichage</translation>
    </message>
    <message>
        <source>Application</source>
        <translation>Application</translation>
    </message>
    <message>
        <source>These keys cannot be used.</source>
        <translation>Ce raccourci ne peut pas être utilisé.</translation>
    </message>
    <message>
        <source>{keys} is needed for writing and moving about. Add Ctrl or Alt.</source>
        <translation>{keys} sert à écrire et à se déplacer. Ajoutez Ctrl ou Alt.</translation>
    </message>
    <message>
        <source>{keys} is needed in every text field.</source>
        <translation>{keys} sert dans tous les champs de texte.</translation>
    </message>
    <message>
        <source>{keys} belongs to the system and would not reach ChatDesk.</source>
        <translation>{keys} est réservé au système et n’atteindrait pas ChatDesk.</translation>
    </message>
    <message>
        <source>There is no finished message here.</source>
        <translation>Il n’y a pas ici de message terminé.</translation>
    </message>
    <message>
        <source>There is no finished answer here.</source>
        <translation>Il n’y a pas ici de réponse terminée.</translation>
    </message>
    <message>
        <source>Shorter</source>
        <translation>Plus courte</translation>
    </message>
    <message>
        <source>Longer</source>
        <translation>Plus longue</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Copier</translation>
    </message>
    <message>
        <source>Copy selection</source>
        <translation>Copier la sélection</translation>
    </message>
    <message>
        <source>Copy as Markdown</source>
        <translation>Copier en Markdown</translation>
    </message>
    <message>
        <source>Copy as plain text</source>
        <translation>Copier en texte brut</translation>
    </message>
    <message>
        <source>Copy as rich text</source>
        <translation>Copier en texte enrichi</translation>
    </message>
    <message>
        <source>Copy link</source>
        <translation>Copier le lien</translation>
    </message>
    <message>
        <source>Quote</source>
        <translation>Citer</translation>
    </message>
    <message>
        <source>Quote selection</source>
        <translation>Citer la sélection</translation>
    </message>
    <message>
        <source>Remember selection…</source>
        <translation>Mémoriser la sélection…</translation>
    </message>
    <message>
        <source>Open as artifact</source>
        <translation>Ouvrir comme artefact</translation>
    </message>
    <message>
        <source>No message in view has a file, or code of 15 lines or more.</source>
        <translation>Aucun message visible n’a de fichier, ni de code de 15 lignes ou plus.</translation>
    </message>
    <message>
        <source>Open page in browser</source>
        <translation>Ouvrir la page dans le navigateur</translation>
    </message>
    <message>
        <source>No message in view has a block of HTML.</source>
        <translation>Aucun message visible n’a de bloc HTML.</translation>
    </message>
    <message>
        <source>Answer</source>
        <translation>Réponse</translation>
    </message>
    <message>
        <source>Note</source>
        <translation>Note</translation>
    </message>
    <message>
        <source>Reasoning</source>
        <translation>Raisonnement</translation>
    </message>
    <message>
        <source>Tool call</source>
        <translation>Appel d’outil</translation>
    </message>
    <message>
        <source>Image: {name}</source>
        <translation>Image&#xa0;: {name}</translation>
    </message>
    <message>
        <source>File: {name}</source>
        <translation>Fichier&#xa0;: {name}</translation>
    </message>
    <message>
        <source>Image: {name} ({problem})</source>
        <translation>Image&#xa0;: {name} ({problem})</translation>
    </message>
    <message>
        <source>File: {name} ({problem})</source>
        <translation>Fichier&#xa0;: {name} ({problem})</translation>
    </message>
    <message>
        <source>attachment</source>
        <translation>pièce jointe</translation>
    </message>
    <message>
        <source>its bytes are missing or damaged</source>
        <translation>son contenu manque ou est endommagé</translation>
    </message>
    <message>
        <source>at an unknown time</source>
        <translation>à une date inconnue</translation>
    </message>
    <message>
        <source>{year}-{month}-{day} {hour}:{minute} UTC</source>
        <translation>{day}/{month}/{year} {hour}:{minute} UTC</translation>
    </message>
    <message>
        <source>The link “{words}” leads to {place}.</source>
        <translation>Le lien «&#xa0;{words}&#xa0;» mène à {place}.</translation>
    </message>
    <message>
        <source>More links of this message lead elsewhere than their words say.</source>
        <translation>D’autres liens de ce message mènent ailleurs que ne l’indique leur texte.</translation>
    </message>
    <message>
        <source>Answer</source>
        <comment>verb</comment>
        <translation>Répondre</translation>
    </message>
    <message>
        <source>Regenerate</source>
        <translation>Régénérer</translation>
    </message>
    <message>
        <source>Answer with another model…</source>
        <translation>Répondre avec un autre modèle…</translation>
    </message>
    <message>
        <source>Edit</source>
        <translation>Modifier</translation>
    </message>
    <message>
        <source>Continue</source>
        <translation>Continuer</translation>
    </message>
    <message>
        <source>There is no answer here that could be continued.</source>
        <translation>Il n’y a pas ici de réponse à continuer.</translation>
    </message>
    <message>
        <source>Decide about open calls…</source>
        <translation>Décider des appels en attente…</translation>
    </message>
    <message>
        <source>Review proposed changes…</source>
        <translation>Examiner les changements proposés…</translation>
    </message>
    <message>
        <source>No answer here proposes changes to files.</source>
        <translation>Aucune réponse ici ne propose de modifier des fichiers.</translation>
    </message>
    <message>
        <source>Edit answer</source>
        <translation>Modifier la réponse</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Réessayer</translation>
    </message>
    <message>
        <source>There is no earlier version of this message.</source>
        <translation>Il n’y a pas de version antérieure de ce message.</translation>
    </message>
    <message>
        <source>There is no later version of this message.</source>
        <translation>Il n’y a pas de version ultérieure de ce message.</translation>
    </message>
    <message>
        <source>This answer has one version only.</source>
        <translation>Cette réponse n’a qu’une version.</translation>
    </message>
    <message>
        <source>Pin into the context</source>
        <translation>Fixer dans le contexte</translation>
    </message>
    <message>
        <source>Unpin from the context</source>
        <translation>Ne plus fixer dans le contexte</translation>
    </message>
    <message>
        <source>Exclude from the context</source>
        <translation>Exclure du contexte</translation>
    </message>
    <message>
        <source>Include in the context</source>
        <translation>Inclure dans le contexte</translation>
    </message>
    <message>
        <source>Let the model see it</source>
        <translation>Laisser le modèle la voir</translation>
    </message>
    <message>
        <source>Include in the context again</source>
        <translation>Inclure à nouveau dans le contexte</translation>
    </message>
    <message>
        <source>The context starts here already.</source>
        <translation>Le contexte commence déjà ici.</translation>
    </message>
    <message>
        <source>The context starts at the beginning already.</source>
        <translation>Le contexte commence déjà au début.</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Supprimer</translation>
    </message>
    <message>
        <source>Erase for everyone…</source>
        <translation>Effacer pour tous…</translation>
    </message>
    <message>
        <source>Open in a new window</source>
        <translation>Ouvrir dans une nouvelle fenêtre</translation>
    </message>
    <message>
        <source>Open beside</source>
        <translation>Ouvrir à côté</translation>
    </message>
    <message>
        <source>Close this chat or window</source>
        <translation>Fermer cette discussion ou fenêtre</translation>
    </message>
    <message>
        <source>Go to the chat at the left</source>
        <translation>Aller à la discussion de gauche</translation>
    </message>
    <message>
        <source>Go to the chat at the right</source>
        <translation>Aller à la discussion de droite</translation>
    </message>
    <message>
        <source>Keep this one</source>
        <translation>Garder celle-ci</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Arrêter</translation>
    </message>
    <message>
        <source>Edited answer</source>
        <translation>Réponse modifiée</translation>
    </message>
    <message>
        <source>Stop the edited answer</source>
        <translation>Arrêter la réponse modifiée</translation>
    </message>
    <message>
        <source>Keep the edited answer</source>
        <translation>Garder la réponse modifiée</translation>
    </message>
    <message>
        <source>Keep the answer</source>
        <translation>Garder la réponse</translation>
    </message>
    <message>
        <source>Answer of {model}</source>
        <translation>Réponse de {model}</translation>
    </message>
    <message>
        <source>Stop the answer of {model}</source>
        <translation>Arrêter la réponse de {model}</translation>
    </message>
    <message>
        <source>Keep the answer of {model}</source>
        <translation>Garder la réponse de {model}</translation>
    </message>
    <message>
        <source>Compared answers</source>
        <translation>Réponses comparées</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>Retour</translation>
    </message>
    <message>
        <source>Back to the thread; all answers stay as versions</source>
        <translation>Retour à la conversation&#xa0;; toutes les réponses sont conservées comme versions</translation>
    </message>
    <message>
        <source>Your question: {question}</source>
        <translation>Votre question&#xa0;: {question}</translation>
    </message>
    <message>
        <source>{name}, being copied</source>
        <translation>{name}, en cours de copie</translation>
    </message>
    <message>
        <source>Remove {file}</source>
        <translation>Retirer {file}</translation>
    </message>
    <message>
        <source>Remove (Delete)</source>
        <translation>Retirer (Suppr)</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Retirer</translation>
    </message>
    <message>
        <source>{name} is attached</source>
        <translation>{name} est joint</translation>
    </message>
    <message>
        <source>{name} is removed</source>
        <translation>{name} est retiré</translation>
    </message>
    <message>
        <source>Send</source>
        <translation>Envoyer</translation>
    </message>
    <message>
        <source>Stop the answer (Esc)</source>
        <translation>Arrêter la réponse (Échap)</translation>
    </message>
    <message>
        <source>Attach files</source>
        <translation>Joindre des fichiers</translation>
    </message>
    <message>
        <source>Files, prompts, parameters and tools</source>
        <translation>Fichiers, prompts, paramètres et outils</translation>
    </message>
    <message>
        <source>Wait for the answer, or press Esc to stop it. Your text is kept.</source>
        <translation>Attendez la réponse, ou appuyez sur Échap pour l’arrêter. Votre texte est conservé.</translation>
    </message>
    <message>
        <source>{size} is more than one message can hold ({limit}). Split the text.</source>
        <translation>{size}, c’est plus qu’un message ne peut contenir ({limit}). Divisez le texte.</translation>
    </message>
    <message>
        <source>Send after the answer</source>
        <translation>Envoyer après la réponse</translation>
    </message>
    <message>
        <source>The files are still being copied. The message is sent when they are there.</source>
        <translation>Les fichiers sont encore en cours de copie. Le message sera envoyé quand ils seront prêts.</translation>
    </message>
    <message>
        <source>Not sent yet: see the note above your text, then send again.</source>
        <translation>Pas encore envoyé&#xa0;: consultez la note au-dessus de votre texte, puis envoyez à nouveau.</translation>
    </message>
    <message>
        <source>Prompts</source>
        <translation>Prompts</translation>
    </message>
    <message numerus="yes">
        <source>{count} prompts, arrows choose, Enter inserts, Esc closes.</source>
        <comment>{count} prompt, arrows choose, Enter inserts, Esc closes.</comment>
        <translation>
            <numerusform>{count} prompt, flèches pour choisir, Entrée pour insérer, Échap pour fermer.</numerusform>
            <numerusform>{count} prompts, flèches pour choisir, Entrée pour insérer, Échap pour fermer.</numerusform>
        </translation>
    </message>
    <message>
        <source>Edit prompts…</source>
        <translation>Modifier les prompts…</translation>
    </message>
    <message>
        <source>All templates and system prompts</source>
        <translation>Tous les modèles de texte et prompts système</translation>
    </message>
    <message>
        <source>Find a prompt</source>
        <translation>Rechercher un prompt</translation>
    </message>
    <message>
        <source>No prompt matches.</source>
        <translation>Aucun prompt ne correspond.</translation>
    </message>
    <message>
        <source>{item}, {row} of {count}</source>
        <translation>{item}, {row} sur {count}</translation>
    </message>
    <message>
        <source>{leave}: {state}</source>
        <translation>{leave}&#xa0;: {state}</translation>
    </message>
    <message>
        <source>Move up: {text}</source>
        <translation>Monter&#xa0;: {text}</translation>
    </message>
    <message>
        <source>Send it before the one above</source>
        <translation>L’envoyer avant celle du dessus</translation>
    </message>
    <message>
        <source>Take it back into the text below</source>
        <translation>La remettre dans le texte en dessous</translation>
    </message>
    <message>
        <source>Send now</source>
        <translation>Envoyer maintenant</translation>
    </message>
    <message>
        <source>Stop the answer, keep what came, and ask this</source>
        <translation>Arrêter la réponse, garder ce qui a été reçu, et poser cette question</translation>
    </message>
    <message numerus="yes">
        <source>{count} more wait…</source>
        <comment>{count} more waits…</comment>
        <translation>
            <numerusform>{count} autre attend…</numerusform>
            <numerusform>{count} autres attendent…</numerusform>
        </translation>
    </message>
    <message>
        <source>Save these files as a zip and send it with a description of what went wrong. They contain no messages, titles, file names or keys. Look through them first; nothing is sent automatically.</source>
        <translation>Enregistrez ces fichiers dans un zip et envoyez-le avec une description de ce qui s’est mal passé. Ils ne contiennent ni messages, ni titres, ni noms de fichiers, ni clés. Parcourez-les d’abord&#xa0;; rien n’est envoyé automatiquement.</translation>
    </message>
    <message>
        <source>Report a problem</source>
        <translation>Signaler un problème</translation>
    </message>
    <message>
        <source>Files of the report</source>
        <translation>Fichiers du rapport</translation>
    </message>
    <message>
        <source>Text of the file</source>
        <translation>Texte du fichier</translation>
    </message>
    <message>
        <source>Collecting…</source>
        <translation>Collecte…</translation>
    </message>
    <message>
        <source>Save as a zip…</source>
        <translation>Enregistrer en zip…</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Fermer</translation>
    </message>
    <message numerus="yes">
        <source>{count} files, {size} before packing</source>
        <comment>{count} file, {size} before packing</comment>
        <translation>
            <numerusform>{count} fichier, {size} avant compression</numerusform>
            <numerusform>{count} fichiers, {size} avant compression</numerusform>
        </translation>
    </message>
    <message>
        <source>(The end of it; the zip has all {count} characters.)
…{end}</source>
        <translation>(La fin seulement&#xa0;; le zip contient les {count} caractères.)
…{end}</translation>
    </message>
    <message>
        <source>What you typed is not saved. Press Esc again to leave without it.</source>
        <translation>Votre saisie n’est pas enregistrée. Appuyez encore une fois sur Échap pour quitter sans l’enregistrer.</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Annuler</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>Choisir…</translation>
    </message>
    <message>
        <source>Choose: {name}</source>
        <translation>Choisir&#xa0;: {name}</translation>
    </message>
    <message>
        <source>Remove: {name}</source>
        <translation>Retirer&#xa0;: {name}</translation>
    </message>
    <message>
        <source>Press the keys…</source>
        <translation>Appuyez sur les touches…</translation>
    </message>
    <message>
        <source>{keys}. Press Enter to choose others, Delete to remove them, Esc to keep them.</source>
        <translation>{keys}. Entrée pour en choisir d’autres, Suppr pour les retirer, Échap pour les garder.</translation>
    </message>
    <message>
        <source>Copy report</source>
        <translation>Copier le rapport</translation>
    </message>
    <message>
        <source>Show file</source>
        <translation>Afficher le fichier</translation>
    </message>
    <message>
        <source>The report could not be read: {reason}.</source>
        <translation>Le rapport n’a pas pu être lu&#xa0;: {reason}.</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>Copié</translation>
    </message>
    <message>
        <source>Version {version}, with Python {python} and Qt {qt_version}.

Inter and JetBrains Mono are used under the SIL Open Font License, the Lucide icons under the ISC licence.</source>
        <translation>Version {version}, avec Python {python} et Qt {qt_version}.

Inter et JetBrains Mono sont utilisées sous la licence SIL Open Font, les icônes Lucide sous la licence ISC.</translation>
    </message>
    <message>
        <source>Send the message</source>
        <translation>Envoyer le message</translation>
    </message>
    <message>
        <source>Enter</source>
        <translation>Entrée</translation>
    </message>
    <message>
        <source>New line in the composer</source>
        <translation>Nouvelle ligne dans la zone de saisie</translation>
    </message>
    <message>
        <source>Shift+Enter</source>
        <translation>Maj+Entrée</translation>
    </message>
    <message>
        <source>Walk through threads</source>
        <translation>Parcourir les conversations</translation>
    </message>
    <message>
        <source>Up or Down in the list</source>
        <translation>Flèche haut ou bas dans la liste</translation>
    </message>
    <message>
        <source>Open the thread</source>
        <translation>Ouvrir la conversation</translation>
    </message>
    <message>
        <source>Enter in the list</source>
        <translation>Entrée dans la liste</translation>
    </message>
    <message>
        <source>Mark threads</source>
        <translation>Cocher des conversations</translation>
    </message>
    <message>
        <source>Shift+Down or Ctrl+Space in the list</source>
        <translation>Maj+Bas ou Ctrl+Espace dans la liste</translation>
    </message>
    <message>
        <source>Menu of a thread</source>
        <translation>Menu d’une conversation</translation>
    </message>
    <message>
        <source>Menu in the list</source>
        <translation>Touche Menu dans la liste</translation>
    </message>
    <message>
        <source>Between messages</source>
        <translation>D’un message à l’autre</translation>
    </message>
    <message>
        <source>Ctrl+Down or Ctrl+Up in the thread</source>
        <translation>Ctrl+Bas ou Ctrl+Haut dans la conversation</translation>
    </message>
    <message>
        <source>Links and buttons</source>
        <translation>Liens et boutons</translation>
    </message>
    <message>
        <source>Tab in the thread</source>
        <translation>Tab dans la conversation</translation>
    </message>
    <message>
        <source>Menu of the message</source>
        <translation>Menu du message</translation>
    </message>
    <message>
        <source>Enter or Menu in the thread</source>
        <translation>Entrée ou touche Menu dans la conversation</translation>
    </message>
    <message>
        <source>Walk through the text</source>
        <translation>Parcourir le texte</translation>
    </message>
    <message>
        <source>F7 in the thread</source>
        <translation>F7 dans la conversation</translation>
    </message>
    <message>
        <source>Next group of results</source>
        <translation>Groupe de résultats suivant</translation>
    </message>
    <message>
        <source>Tab in the search</source>
        <translation>Tab dans la recherche</translation>
    </message>
    <message>
        <source>Press the new keys for “{name}”.</source>
        <translation>Appuyez sur les touches du nouveau raccourci de «&#xa0;{name}&#xa0;».</translation>
    </message>
    <message>
        <source>Use these</source>
        <translation>Utiliser ce raccourci</translation>
    </message>
    <message>
        <source>{keys} belongs to “{name}”, which would lose it.</source>
        <translation>{keys} appartient à «&#xa0;{name}&#xa0;», qui le perdrait.</translation>
    </message>
    <message>
        <source>Take over</source>
        <translation>Réattribuer</translation>
    </message>
    <message>
        <source>{keys} is free.</source>
        <translation>{keys} est libre.</translation>
    </message>
    <message>
        <source>In place</source>
        <translation>Raccourcis locaux</translation>
    </message>
    <message>
        <source>changed</source>
        <translation>modifié</translation>
    </message>
    <message>
        <source>changed keys</source>
        <translation>raccourci modifié</translation>
    </message>
    <message>
        <source>no keys</source>
        <translation>aucun raccourci</translation>
    </message>
    <message>
        <source>usual keys</source>
        <translation>raccourci habituel</translation>
    </message>
    <message>
        <source>Find a command or keys</source>
        <translation>Rechercher une commande ou un raccourci</translation>
    </message>
    <message>
        <source>Commands and their keys</source>
        <translation>Commandes et raccourcis</translation>
    </message>
    <message>
        <source>Enter changes the keys, Delete takes them away</source>
        <translation>Entrée modifie le raccourci, Suppr le supprime</translation>
    </message>
    <message>
        <source>a very long answer (some 6,000 words)</source>
        <translation>une très longue réponse (quelque 6&#xa0;000 mots)</translation>
    </message>
    <message>
        <source>code in several languages</source>
        <translation>du code en plusieurs langages</translation>
    </message>
    <message>
        <source>tables, narrow and wide</source>
        <translation>des tableaux, étroits et larges</translation>
    </message>
    <message>
        <source>formulas</source>
        <translation>des formules</translation>
    </message>
    <message>
        <source>a picture, which is kept as a file of the answer</source>
        <translation>une image, gardée comme fichier de la réponse</translation>
    </message>
    <message>
        <source>every kind of Markdown</source>
        <translation>toutes les formes de Markdown</translation>
    </message>
    <message>
        <source>eight pieces a second: time to press Stop</source>
        <translation>huit morceaux par seconde&#xa0;: le temps d’appuyer sur Arrêter</translation>
    </message>
    <message>
        <source>too many requests: a wait that is announced, then an error</source>
        <translation>trop de requêtes&#xa0;: une attente annoncée, puis une erreur</translation>
    </message>
    <message>
        <source>the same wait, then an answer</source>
        <translation>la même attente, puis une réponse</translation>
    </message>
    <message>
        <source>the connection breaks in the middle; Continue finishes</source>
        <translation>la connexion se coupe au milieu&#xa0;; «&#xa0;Continuer&#xa0;» donne la suite</translation>
    </message>
    <message>
        <source>thoughts before the answer</source>
        <translation>des réflexions avant la réponse</translation>
    </message>
    <message>
        <source>a tool call</source>
        <translation>un appel d’outil</translation>
    </message>
    <message>
        <source>There is no demo called {name}. These exist:</source>
        <translation>Il n’y a pas de démo nommée {name}. Voici celles qui existent&#xa0;:</translation>
    </message>
    <message>
        <source>Try one of these:</source>
        <translation>Essayez l’une d’elles&#xa0;:</translation>
    </message>
    <message>
        <source>Command</source>
        <translation>Commande</translation>
    </message>
    <message>
        <source>What it shows</source>
        <translation>Ce qu’elle montre</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>Raccourci</translation>
    </message>
    <message>
        <source>State</source>
        <translation>État</translation>
    </message>
    <message>
        <source>Change keys…</source>
        <translation>Modifier le raccourci…</translation>
    </message>
    <message>
        <source>Take away</source>
        <translation>Supprimer</translation>
    </message>
    <message>
        <source>Reset</source>
        <translation>Rétablir</translation>
    </message>
    <message>
        <source>Reset all</source>
        <translation>Tout rétablir</translation>
    </message>
    <message>
        <source>New keys</source>
        <translation>Nouveau raccourci</translation>
    </message>
    <message>
        <source>An unexpected failure</source>
        <translation>Une erreur inattendue</translation>
    </message>
    <message>
        <source>Something went wrong in ChatDesk. Your messages are kept.</source>
        <translation>Un problème est survenu dans ChatDesk. Vos messages sont conservés.</translation>
    </message>
    <message>
        <source>Something went wrong in ChatDesk. Your messages are kept, and you can go on. A report was written, without your messages. To send it to the developers, choose “Report a problem…” in the menu: you see everything first.</source>
        <translation>Un problème est survenu dans ChatDesk. Vos messages sont conservés, et vous pouvez continuer. Un rapport a été écrit, sans vos messages. Pour l’envoyer aux développeurs, choisissez «&#xa0;Signaler un problème…&#xa0;» dans le menu&#xa0;: vous verrez tout avant l’envoi.</translation>
    </message>
    <message>
        <source>Details…</source>
        <translation>Détails…</translation>
    </message>
    <message>
        <source>This text is too long to be drawn. Its source is shown.</source>
        <translation>Ce texte est trop long pour être mis en forme. Sa source est affichée.</translation>
    </message>
    <message>
        <source>They differ too much to be compared line by line; what differs is shown as replaced.</source>
        <translation>Ils diffèrent trop pour être comparés ligne à ligne&#xa0;; ce qui diffère est présenté comme remplacé.</translation>
    </message>
    <message numerus="yes">
        <source>The first {count} rows are shown.</source>
        <comment>The first {count} row is shown.</comment>
        <translation>
            <numerusform>La première ligne est affichée.</numerusform>
            <numerusform>Les {count} premières lignes sont affichées.</numerusform>
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
            <numerusform>{count} ligne ajoutée</numerusform>
            <numerusform>{count} lignes ajoutées</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} lines removed</source>
        <comment>{count} line removed</comment>
        <translation>
            <numerusform>{count} ligne supprimée</numerusform>
            <numerusform>{count} lignes supprimées</numerusform>
        </translation>
    </message>
    <message>
        <source>No line differs.</source>
        <translation>Aucune ligne ne diffère.</translation>
    </message>
    <message>
        <source>in a version of the thread that is not shown</source>
        <translation>dans une version de la conversation qui n’est pas affichée</translation>
    </message>
    <message>
        <source>This text is too large to be edited here. Save it, edit it elsewhere, and attach the result.</source>
        <translation>Ce texte est trop grand pour être modifié ici. Enregistrez-le, modifiez-le ailleurs, et joignez le résultat.</translation>
    </message>
    <message>
        <source>Your unfinished edit is back</source>
        <translation>Votre modification inachevée a été rétablie</translation>
    </message>
    <message>
        <source>Your changes were left out</source>
        <translation>Vos modifications ont été abandonnées</translation>
    </message>
    <message>
        <source>Edit again</source>
        <translation>Modifier à nouveau</translation>
    </message>
    <message>
        <source>Your edit of {name} is a version of it</source>
        <translation>Votre modification de {name} est enregistrée comme version</translation>
    </message>
    <message>
        <source>Artifacts are stored on disk; a temporary chat is not.</source>
        <translation>Les artefacts sont enregistrés sur le disque&#xa0;; une discussion temporaire ne l’est pas.</translation>
    </message>
    <message>
        <source>Change the attached file {name} and answer with all of it in one code block.</source>
        <translation>Modifiez le fichier joint {name} et répondez avec son contenu entier dans un seul bloc de code.</translation>
    </message>
    <message>
        <source>Removed from the list</source>
        <translation>Retiré de la liste</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Annuler</translation>
    </message>
    <message>
        <source>Answer with another model</source>
        <translation>Répondre avec un autre modèle</translation>
    </message>
    <message>
        <source>Pasted image.png</source>
        <translation>Image collée.png</translation>
    </message>
    <message>
        <source>Files are stored on disk; a temporary chat is not.</source>
        <translation>Les fichiers sont enregistrés sur le disque&#xa0;; une discussion temporaire ne l’est pas.</translation>
    </message>
    <message>
        <source>It is right</source>
        <translation>C’est correct</translation>
    </message>
    <message>
        <source>Is “{sample}” in “{name}” read right?</source>
        <translation>«&#xa0;{sample}&#xa0;» dans «&#xa0;{name}&#xa0;» est-il lu correctement&#xa0;?</translation>
    </message>
    <message>
        <source>“{name}” is read as {encoding}: “{sample}”.</source>
        <translation>«&#xa0;{name}&#xa0;» est lu en {encoding}&#xa0;: «&#xa0;{sample}&#xa0;».</translation>
    </message>
    <message>
        <source>Of “{name}” only the name is sent.</source>
        <translation>De «&#xa0;{name}&#xa0;», seul le nom est envoyé.</translation>
    </message>
    <message>
        <source>“{name}”: {problem}</source>
        <translation>«&#xa0;{name}&#xa0;»&#xa0;: {problem}</translation>
    </message>
    <message>
        <source>Read otherwise…</source>
        <translation>Lire autrement…</translation>
    </message>
    <message>
        <source>Not sent yet: say above your text whether “{name}” is read right.</source>
        <translation>Pas encore envoyé&#xa0;: indiquez au-dessus de votre texte si «&#xa0;{name}&#xa0;» est lu correctement.</translation>
    </message>
    <message>
        <source>The picture in the clipboard cannot be read.</source>
        <translation>L’image du presse-papiers ne peut pas être lue.</translation>
    </message>
    <message>
        <source>This thread has no message yet.</source>
        <translation>Cette conversation n’a pas encore de message.</translation>
    </message>
    <message>
        <source>Nothing was written on that day or later.</source>
        <translation>Rien n’a été écrit ce jour-là ou après.</translation>
    </message>
    <message>
        <source>What goes to the trash can be brought back, at once with Ctrl+Z and later from the inspector&apos;s tree.</source>
        <translation>Ce qui va à la corbeille peut être restauré, tout de suite avec Ctrl+Z et plus tard depuis l’arbre de l’inspecteur.</translation>
    </message>
    <message>
        <source>Delete this message only, or also those after it?</source>
        <translation>Supprimer seulement ce message, ou aussi ceux qui suivent&#xa0;?</translation>
    </message>
    <message>
        <source>Do not ask again</source>
        <translation>Ne plus demander</translation>
    </message>
    <message>
        <source>Settings can make ChatDesk ask again.</source>
        <translation>Les paramètres permettent de rétablir cette question.</translation>
    </message>
    <message>
        <source>With later messages</source>
        <translation>Avec les messages suivants</translation>
    </message>
    <message>
        <source>This message only</source>
        <translation>Ce message seulement</translation>
    </message>
    <message>
        <source>Deleted messages</source>
        <translation>Messages supprimés</translation>
    </message>
    <message>
        <source>Restored messages go back to their place.</source>
        <translation>Les messages restaurés retournent à leur place.</translation>
    </message>
    <message>
        <source>No message is in the trash.</source>
        <translation>Aucun message n’est dans la corbeille.</translation>
    </message>
    <message>
        <source>Restore</source>
        <translation>Restaurer</translation>
    </message>
    <message>
        <source>Show the thread</source>
        <translation>Afficher la conversation</translation>
    </message>
    <message>
        <source>{day} {time}</source>
        <translation>{day} {time}</translation>
    </message>
    <message>
        <source>Without text</source>
        <translation>Sans texte</translation>
    </message>
    <message>
        <source>Question in “{title}”, deleted {when}</source>
        <translation>Question dans «&#xa0;{title}&#xa0;», suppression&#xa0;: {when}</translation>
    </message>
    <message>
        <source>Answer in “{title}”, deleted {when}</source>
        <translation>Réponse dans «&#xa0;{title}&#xa0;», suppression&#xa0;: {when}</translation>
    </message>
    <message>
        <source>Question and {more} more in “{title}”, deleted {when}</source>
        <translation>Question et {more} de plus dans «&#xa0;{title}&#xa0;», suppression&#xa0;: {when}</translation>
    </message>
    <message>
        <source>Answer and {more} more in “{title}”, deleted {when}</source>
        <translation>Réponse et {more} de plus dans «&#xa0;{title}&#xa0;», suppression&#xa0;: {when}</translation>
    </message>
    <message>
        <source>Message restored</source>
        <translation>Message restauré</translation>
    </message>
    <message>
        <source>It leaves the server, and every computer when it syncs next. This cannot be undone. What stays: backups of the server and of computers until they are replaced, private copies of members who left, and what somebody copied or exported.</source>
        <translation>Cela disparaît du serveur, et de chaque ordinateur à sa prochaine synchronisation. C’est irréversible. Ce qui reste&#xa0;: les sauvegardes du serveur et des ordinateurs jusqu’à leur remplacement, les copies privées des membres partis, et ce que quelqu’un a copié ou exporté.</translation>
    </message>
    <message>
        <source>Erase this thread for everyone?</source>
        <translation>Effacer cette conversation pour tous&#xa0;?</translation>
    </message>
    <message>
        <source>Erase this message for everyone?</source>
        <translation>Effacer ce message pour tous&#xa0;?</translation>
    </message>
    <message>
        <source>Erase for everyone</source>
        <translation>Effacer pour tous</translation>
    </message>
    <message>
        <source>It is in the trash, and is erased as soon as the server has taken it.</source>
        <translation>C’est dans la corbeille, et sera effacé dès que le serveur l’aura pris en compte.</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages go, with attached files and the summaries that mention them.</source>
        <comment>{count} message goes, with attached files and the summaries that mention them.</comment>
        <translation>
            <numerusform>{count} message disparaît, avec ses fichiers joints et les résumés qui le mentionnent.</numerusform>
            <numerusform>{count} messages disparaissent, avec leurs fichiers joints et les résumés qui les mentionnent.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages of others stay in the trash: only owners and admins of the project erase what others wrote.</source>
        <comment>{count} message of others stays in the trash: only owners and admins of the project erase what others wrote.</comment>
        <translation>
            <numerusform>{count} message d’autrui reste dans la corbeille&#xa0;: seuls les propriétaires et administrateurs du projet peuvent effacer ce que d’autres ont écrit.</numerusform>
            <numerusform>{count} messages d’autrui restent dans la corbeille&#xa0;: seuls les propriétaires et administrateurs du projet peuvent effacer ce que d’autres ont écrit.</numerusform>
        </translation>
    </message>
    <message>
        <source>It is not sent, because this model cannot see images.</source>
        <translation>Elle n’est pas envoyée, car ce modèle ne voit pas les images.</translation>
    </message>
    <message>
        <source>It is empty.</source>
        <translation>Le fichier est vide.</translation>
    </message>
    <message>
        <source>Its middle is left out, because it does not fit.</source>
        <translation>Le milieu est omis, faute de place.</translation>
    </message>
    <message>
        <source>this model</source>
        <translation>ce modèle</translation>
    </message>
    <message numerus="yes">
        <source>{count} images are not sent, because {model} cannot see images: only their names are.</source>
        <comment>The image is not sent, because {model} cannot see images: only its name is.</comment>
        <translation>
            <numerusform>L’image n’est pas envoyée, car {model} ne voit pas les images&#xa0;: seul son nom l’est.</numerusform>
            <numerusform>{count} images ne sont pas envoyées, car {model} ne voit pas les images&#xa0;: seuls leurs noms le sont.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>It is not known whether {model} sees images. {count} are sent.</source>
        <comment>It is not known whether {model} sees images. The image is sent.</comment>
        <translation>
            <numerusform>On ne sait pas si {model} voit les images. L’image est envoyée.</numerusform>
            <numerusform>On ne sait pas si {model} voit les images. {count} sont envoyées.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The middle of {count} files is left out, because they do not fit.</source>
        <comment>The middle of “{name}” is left out, because it does not fit.</comment>
        <translation>
            <numerusform>Le milieu de «&#xa0;{name}&#xa0;» est omis, faute de place.</numerusform>
            <numerusform>Le milieu de {count} fichiers est omis, faute de place.</numerusform>
        </translation>
    </message>
    <message>
        <source>The size of the context of {model} is not known: {count} tokens are assumed.</source>
        <translation>La taille du contexte de {model} est inconnue&#xa0;: {count} tokens sont supposés.</translation>
    </message>
    <message numerus="yes">
        <source>It is not known whether {models} see images; they are sent.</source>
        <comment>It is not known whether {models} sees images; they are sent.</comment>
        <translation>
            <numerusform>On ne sait pas si {models} voit les images&#xa0;; elles sont envoyées.</numerusform>
            <numerusform>On ne sait pas si {models} voient les images&#xa0;; elles sont envoyées.</numerusform>
        </translation>
    </message>
    <message>
        <source>Do not send images</source>
        <translation>Ne pas envoyer d’images</translation>
    </message>
    <message>
        <source>Ask {model} instead</source>
        <translation>Interroger plutôt {model}</translation>
    </message>
    <message numerus="yes">
        <source>They can</source>
        <comment>It can</comment>
        <translation>
            <numerusform>Il les voit</numerusform>
            <numerusform>Ils les voient</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{models} cannot see images: only their names are sent.</source>
        <comment>{models} cannot see images: only their names are sent.</comment>
        <translation>
            <numerusform>{models} ne peut pas voir les images&#xa0;: seuls leurs noms sont envoyés.</numerusform>
            <numerusform>{models} ne peuvent pas voir les images&#xa0;: seuls leurs noms sont envoyés.</numerusform>
        </translation>
    </message>
    <message>
        <source>Jump to a date</source>
        <translation>Aller à une date</translation>
    </message>
    <message>
        <source>From {first} to {last}</source>
        <translation>De {first} à {last}</translation>
    </message>
    <message>
        <source>Date</source>
        <translation>Date</translation>
    </message>
    <message>
        <source>Calendar</source>
        <translation>Calendrier</translation>
    </message>
    <message>
        <source>Days</source>
        <translation>Jours</translation>
    </message>
    <message>
        <source>Previous month</source>
        <translation>Mois précédent</translation>
    </message>
    <message>
        <source>Next month</source>
        <translation>Mois suivant</translation>
    </message>
    <message>
        <source>Send or cancel what you are editing first.</source>
        <translation>Envoyez ou annulez d’abord ce que vous modifiez.</translation>
    </message>
    <message>
        <source>Added as a note</source>
        <translation>Ajouté comme note</translation>
    </message>
    <message>
        <source>Nothing was changed, so the answer stays as it is.</source>
        <translation>Rien n’a été modifié, la réponse reste donc telle quelle.</translation>
    </message>
    <message>
        <source>Stop comparing</source>
        <translation>Arrêter la comparaison</translation>
    </message>
    <message>
        <source>A temporary chat cannot have branches.</source>
        <translation>Une discussion temporaire ne peut pas avoir de branches.</translation>
    </message>
    <message>
        <source>branch</source>
        <translation>créer une branche</translation>
    </message>
    <message>
        <source>This is a branch. The thread it came from stays as it is.</source>
        <translation>C’est une branche. La conversation d’où elle vient reste telle quelle.</translation>
    </message>
    <message>
        <source>Sending makes a version that is marked as yours.</source>
        <translation>L’envoi crée une version marquée comme la vôtre.</translation>
    </message>
    <message>
        <source>Editing an answer.</source>
        <translation>Modification d’une réponse.</translation>
    </message>
    <message>
        <source>Editing a question.</source>
        <translation>Modification d’une question.</translation>
    </message>
    <message>
        <source>Editing your last question. Sending makes a new version.</source>
        <translation>Modification de votre dernière question. L’envoi crée une nouvelle version.</translation>
    </message>
    <message>
        <source>leave the edit</source>
        <translation>quitter la modification</translation>
    </message>
    <message>
        <source>Wait for the answer, or press Esc to stop it. Then it can be edited.</source>
        <translation>Attendez la réponse, ou appuyez sur Échap pour l’arrêter. Elle pourra alors être modifiée.</translation>
    </message>
    <message numerus="yes">
        <source>{count} later messages stay in version {version}.</source>
        <comment>{count} later message stays in version {version}.</comment>
        <translation>
            <numerusform>{count} message ultérieur reste dans la version {version}.</numerusform>
            <numerusform>{count} messages ultérieurs restent dans la version {version}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Comparing {count} models</source>
        <comment>Comparing {count} model</comment>
        <translation>
            <numerusform>Comparaison de {count} modèle</numerusform>
            <numerusform>Comparaison de {count} modèles</numerusform>
        </translation>
    </message>
    <message>
        <source>{name} answers this question.</source>
        <translation>{name} répond à cette question.</translation>
    </message>
    <message>
        <source>Temperature</source>
        <translation>Température</translation>
    </message>
    <message>
        <source>Low is steady, high is varied.</source>
        <translation>Basse&#xa0;: régulier&#xa0;; haute&#xa0;: varié.</translation>
    </message>
    <message>
        <source>How many of the likely words are considered.</source>
        <translation>Part des mots probables prise en compte.</translation>
    </message>
    <message>
        <source>In tokens. This much of the context is kept free.</source>
        <translation>En tokens. Cette part du contexte reste libre.</translation>
    </message>
    <message>
        <source>Reasoning effort</source>
        <translation>Effort de raisonnement</translation>
    </message>
    <message>
        <source>How long the model thinks before it answers.</source>
        <translation>Combien de temps le modèle réfléchit avant de répondre.</translation>
    </message>
    <message>
        <source>Stop words</source>
        <translation>Mots d’arrêt</translation>
    </message>
    <message>
        <source>The answer ends before any of these. One a line, at most four.</source>
        <translation>La réponse s’arrête avant l’un d’eux. Un par ligne, quatre au plus.</translation>
    </message>
    <message>
        <source>Minimal</source>
        <translation>Minimal</translation>
    </message>
    <message>
        <source>Low</source>
        <translation>Faible</translation>
    </message>
    <message>
        <source>Medium</source>
        <translation>Moyen</translation>
    </message>
    <message>
        <source>High</source>
        <translation>Élevé</translation>
    </message>
    <message numerus="yes">
        <source>{count} parameters</source>
        <comment>{count} parameter</comment>
        <translation>
            <numerusform>{count} paramètre</numerusform>
            <numerusform>{count} paramètres</numerusform>
        </translation>
    </message>
    <message>
        <source>{name} {value}</source>
        <translation>{name} {value}</translation>
    </message>
    <message>
        <source>Empty means: {value}.</source>
        <translation>Si vide&#xa0;: {value}.</translation>
    </message>
    <message>
        <source>Same as the project: {value}</source>
        <translation>Comme le projet&#xa0;: {value}</translation>
    </message>
    <message>
        <source>Up to {number}</source>
        <translation>Jusqu’à {number}</translation>
    </message>
    <message>
        <source>Model&apos;s default</source>
        <translation>Défaut du modèle</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>Enregistrer</translation>
    </message>
    <message>
        <source>Used whenever this assistant answers; what is empty follows the thread.</source>
        <translation>Utilisés quand cet assistant répond&#xa0;; les champs vides suivent la conversation.</translation>
    </message>
    <message>
        <source>Empties every field, so that the project&apos;s values apply.</source>
        <translation>Vide tous les champs&#xa0;; les valeurs du projet s’appliquent alors.</translation>
    </message>
    <message>
        <source>Empties every field, so that the model&apos;s own values apply.</source>
        <translation>Vide tous les champs&#xa0;; les valeurs du modèle s’appliquent alors.</translation>
    </message>
    <message>
        <source>{title} must be a whole number, such as {example}.</source>
        <translation>{title} doit être un nombre entier, par exemple {example}.</translation>
    </message>
    <message>
        <source>{title} must be a number, such as {example}.</source>
        <translation>{title} doit être un nombre, par exemple {example}.</translation>
    </message>
    <message>
        <source>Parameters of this thread</source>
        <translation>Paramètres de modèle de cette conversation</translation>
    </message>
    <message>
        <source>Parameters of the project {name}</source>
        <translation>Paramètres de modèle du projet {name}</translation>
    </message>
    <message>
        <source>Parameters of {name}</source>
        <translation>Paramètres de modèle de {name}</translation>
    </message>
    <message>
        <source>Parameters of the assistant</source>
        <translation>Paramètres de modèle de l’assistant</translation>
    </message>
    <message>
        <source>The model</source>
        <translation>Le modèle</translation>
    </message>
    <message>
        <source>Used from the next answer on.</source>
        <translation>Utilisés à partir de la prochaine réponse.</translation>
    </message>
    <message>
        <source>Used in threads that have none of their own.</source>
        <translation>Utilisés dans les conversations qui n’en ont pas.</translation>
    </message>
    <message>
        <source>{others} or {last}</source>
        <translation>{others} ou {last}</translation>
    </message>
    <message>
        <source>{model} has no {parameters}.</source>
        <translation>{model} n’a pas de {parameters}.</translation>
    </message>
    <message>
        <source>Parameters: {parameters}</source>
        <translation>Paramètres&#xa0;: {parameters}</translation>
    </message>
    <message>
        <source>change the parameters</source>
        <translation>modifier les paramètres</translation>
    </message>
    <message>
        <source>Saved. The next answer is made with these parameters.</source>
        <translation>Enregistré. La prochaine réponse utilisera ces paramètres.</translation>
    </message>
    <message>
        <source>Saved for all threads of the project that have none of their own.</source>
        <translation>Enregistré pour toutes les conversations du projet qui n’en ont pas.</translation>
    </message>
    <message>
        <source>Send it there</source>
        <translation>Envoyer quand même</translation>
    </message>
    <message>
        <source>Keep the temporary chat?</source>
        <translation>Garder la discussion temporaire&#xa0;?</translation>
    </message>
    <message>
        <source>Nothing of it is stored. Keep it as a thread like any other, or let it go for good.</source>
        <translation>Rien n’en est enregistré. Gardez-la comme une conversation ordinaire, ou laissez-la disparaître.</translation>
    </message>
    <message>
        <source>Do not keep</source>
        <translation>Ne pas garder</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>Garder</translation>
    </message>
    <message>
        <source>Keep and go on</source>
        <translation>Garder et continuer</translation>
    </message>
    <message>
        <source>The chat is kept as soon as the answer is written.</source>
        <translation>La discussion sera gardée dès que la réponse sera écrite.</translation>
    </message>
    <message>
        <source>Kept. It is a thread like any other now.</source>
        <translation>Gardée. C’est maintenant une conversation ordinaire.</translation>
    </message>
    <message>
        <source>Temporary chat</source>
        <translation>Discussion temporaire</translation>
    </message>
    <message>
        <source>Go to the temporary chat</source>
        <translation>Aller à la discussion temporaire</translation>
    </message>
    <message>
        <source>Save code</source>
        <translation>Enregistrer le code</translation>
    </message>
    <message>
        <source>Save a copy</source>
        <translation>Enregistrer une copie</translation>
    </message>
    <message>
        <source>Page of an answer</source>
        <translation>Page d’une réponse</translation>
    </message>
    <message>
        <source>No browser could be opened.</source>
        <translation>Aucun navigateur n’a pu être ouvert.</translation>
    </message>
    <message>
        <source>Choose a browser in the settings of your system, or save the page as a file.</source>
        <translation>Choisissez un navigateur dans les réglages de votre système, ou enregistrez la page dans un fichier.</translation>
    </message>
    <message>
        <source>Opened in your browser</source>
        <translation>Ouverte dans votre navigateur</translation>
    </message>
    <message>
        <source>Saved to {name}</source>
        <translation>Enregistré dans {name}</translation>
    </message>
    <message>
        <source>The message is unchanged.</source>
        <translation>Le message est inchangé.</translation>
    </message>
    <message>
        <source>Undone</source>
        <translation>Annulé</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>Refaire</translation>
    </message>
    <message>
        <source>Redo</source>
        <comment>a step</comment>
        <translation>Rétablir</translation>
    </message>
    <message>
        <source>This cannot be undone: {label}.</source>
        <translation>Cela ne peut pas être annulé&#xa0;: {label}.</translation>
    </message>
    <message>
        <source>{words} Before it: {older}, which was left as it is.</source>
        <translation>{words} Avant cela&#xa0;: {older}, laissé en l’état.</translation>
    </message>
    <message>
        <source>Undo that, too</source>
        <translation>Annuler cela aussi</translation>
    </message>
    <message>
        <source>Redone</source>
        <translation>Rétabli</translation>
    </message>
    <message>
        <source>{what} in “{title}”: {label}</source>
        <translation>{what} dans «&#xa0;{title}&#xa0;»&#xa0;: {label}</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages moved to the trash</source>
        <comment>Message moved to the trash</comment>
        <translation>
            <numerusform>Message mis à la corbeille</numerusform>
            <numerusform>{count} messages mis à la corbeille</numerusform>
        </translation>
    </message>
    <message>
        <source>your question</source>
        <translation>votre question</translation>
    </message>
    <message>
        <source>your draft</source>
        <translation>votre brouillon</translation>
    </message>
    <message>
        <source>your artifact</source>
        <translation>votre artefact</translation>
    </message>
    <message numerus="yes">
        <source>{names} are not saved yet, but kept here. ChatDesk tries again.</source>
        <comment>{names} is not saved yet, but kept here. ChatDesk tries again.</comment>
        <translation>
            <numerusform>{names}&#xa0;: pas encore enregistré, mais gardé ici. ChatDesk réessaie.</numerusform>
            <numerusform>{names}&#xa0;: pas encore enregistrés, mais gardés ici. ChatDesk réessaie.</numerusform>
        </translation>
    </message>
    <message>
        <source>Version {number} of {count}, edited by you</source>
        <translation>Version {number} sur {count}, modifiée par vous</translation>
    </message>
    <message>
        <source>Version {number} of {count}</source>
        <translation>Version {number} sur {count}</translation>
    </message>
    <message>
        <source>Version {number} of {count}, edited by {name}</source>
        <translation>Version {number} sur {count}, modifiée par {name}</translation>
    </message>
    <message>
        <source>Version {number} of {count}, by {name}</source>
        <translation>Version {number} sur {count}, par {name}</translation>
    </message>
    <message>
        <source>Sent when the answer is complete:</source>
        <translation>Envoyé une fois la réponse terminée&#xa0;:</translation>
    </message>
    <message>
        <source>Not sent: the answer before was not completed. Send it now, or edit it.</source>
        <translation>Non envoyé&#xa0;: la réponse précédente ne s’est pas terminée. Envoyez maintenant, ou modifiez.</translation>
    </message>
    <message>
        <source>There is only one model yet: add another in Settings</source>
        <translation>Il n’y a encore qu’un modèle&#xa0;: ajoutez-en un autre dans les paramètres</translation>
    </message>
    <message>
        <source>Kept. The other answers stay as versions.</source>
        <translation>Gardée. Les autres réponses sont conservées comme versions.</translation>
    </message>
    <message>
        <source>Compare models</source>
        <translation>Comparer des modèles</translation>
    </message>
    <message>
        <source>Search models</source>
        <translation>Rechercher des modèles</translation>
    </message>
    <message>
        <source>Compare</source>
        <translation>Comparer</translation>
    </message>
    <message>
        <source>Your questions in this thread go to {fewest} to {most} models at once, and each model costs what it costs alone. You keep the answer you like.</source>
        <translation>Dans cette conversation, vos questions sont envoyées à plusieurs modèles à la fois (de {fewest} à {most}), et chaque modèle coûte autant que seul. Vous gardez la réponse qui vous plaît.</translation>
    </message>
    <message>
        <source>All passages of the project&apos;s files, and later what changes in them and each question, go to {provider}.</source>
        <translation>Tous les passages des fichiers du projet, puis chaque changement dans ces fichiers et chaque question, sont envoyés à {provider}.</translation>
    </message>
    <message>
        <source>It is a server on this computer.</source>
        <translation>C’est un serveur sur cet ordinateur.</translation>
    </message>
    <message>
        <source>They leave this computer.</source>
        <translation>Ils quittent cet ordinateur.</translation>
    </message>
    <message>
        <source>Now that is {texts}, about {tokens} tokens, in {requests}.</source>
        <translation>Cela fait maintenant {texts}, environ {tokens} tokens, en {requests}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} passages</source>
        <comment>{count} passage</comment>
        <translation>
            <numerusform>{count} passage</numerusform>
            <numerusform>{count} passages</numerusform>
        </translation>
    </message>
    <message>
        <source>The price of {model} is not known.</source>
        <translation>Le prix de {model} n’est pas connu.</translation>
    </message>
    <message>
        <source>That costs about ${dollars}.</source>
        <translation>Cela coûte environ ${dollars}.</translation>
    </message>
    <message>
        <source>the vectors that come with ChatDesk</source>
        <translation>les vecteurs fournis avec ChatDesk</translation>
    </message>
    <message>
        <source>Found by meaning with {name}.</source>
        <translation>Recherche par le sens&#xa0;: {name}.</translation>
    </message>
    <message>
        <source>{done} of {total} passages have vectors of {name}, which answers once all have.</source>
        <translation>{done} passages sur {total} ont leur vecteur ({name}). Ce modèle répondra quand tous en auront un.</translation>
    </message>
    <message numerus="yes">
        <source>{count} passages wait for it.</source>
        <comment>{count} passage waits for it.</comment>
        <translation>
            <numerusform>{count} passage attend le sien.</numerusform>
            <numerusform>{count} passages attendent le leur.</numerusform>
        </translation>
    </message>
    <message>
        <source>The last question was compared by the vectors that come with ChatDesk: {reason}</source>
        <translation>La dernière question a été comparée à l’aide des vecteurs fournis avec ChatDesk&#xa0;: {reason}</translation>
    </message>
    <message>
        <source>{model} of {provider}</source>
        <translation>{model} de {provider}</translation>
    </message>
    <message>
        <source>An answer is ready</source>
        <translation>Une réponse est prête</translation>
    </message>
    <message>
        <source>An answer failed</source>
        <translation>Une réponse a échoué</translation>
    </message>
    <message>
        <source>{server_name} waits for your approval</source>
        <translation>{server_name} attend votre accord</translation>
    </message>
    <message>
        <source>ChatDesk cannot be started at login from here.</source>
        <translation>Le démarrage de ChatDesk à l’ouverture de session ne peut pas être réglé ici.</translation>
    </message>
    <message>
        <source>Add it to the programs that your system starts at login.</source>
        <translation>Ajoutez-le aux programmes que votre système démarre à l’ouverture de session.</translation>
    </message>
    <message>
        <source>The file for starting at login could not be changed: {strerror}.</source>
        <translation>Le fichier de démarrage à l’ouverture de session n’a pas pu être modifié&#xa0;: {strerror}.</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Ouvrir</translation>
    </message>
    <message>
        <source>They show the quick window in whatever program you are.</source>
        <translation>Il affiche la fenêtre rapide dans n’importe quel programme.</translation>
    </message>
    <message>
        <source>The environment variable {name} decides this.</source>
        <translation>La variable d’environnement {name} en décide.</translation>
    </message>
    <message>
        <source>Keys for a quick question</source>
        <translation>Raccourci pour une question rapide</translation>
    </message>
    <message>
        <source>Command: {command}</source>
        <translation>Commande&#xa0;: {command}</translation>
    </message>
    <message>
        <source>Copy the command</source>
        <translation>Copier la commande</translation>
    </message>
    <message>
        <source>Asking the desktop for the keys. It may show you a question.</source>
        <translation>Le raccourci est demandé à l’environnement de bureau. Il vous posera peut-être une question.</translation>
    </message>
    <message>
        <source>The desktop shows it at: {keys}.</source>
        <translation>L’environnement de bureau l’affiche ainsi&#xa0;: {keys}.</translation>
    </message>
    <message>
        <source>The keys work.</source>
        <translation>Le raccourci fonctionne.</translation>
    </message>
    <message>
        <source>The desktop did not give ChatDesk these keys. Try again, or bind this command to keys in your desktop&apos;s settings:</source>
        <translation>L’environnement de bureau n’a pas accordé ce raccourci à ChatDesk. Réessayez, ou associez cette commande à un raccourci dans les réglages de votre bureau&#xa0;:</translation>
    </message>
    <message>
        <source>The desktop has no name for {keys}. Choose other keys, or bind this command in your desktop&apos;s settings:</source>
        <translation>L’environnement de bureau n’a pas de nom pour {keys}. Choisissez un autre raccourci, ou associez cette commande dans les réglages de votre bureau&#xa0;:</translation>
    </message>
    <message>
        <source>This desktop gives no keys to programs. Bind this command to keys in your desktop&apos;s settings:</source>
        <translation>Cet environnement de bureau n’accorde pas de raccourcis aux programmes. Associez cette commande à un raccourci dans les réglages de votre bureau&#xa0;:</translation>
    </message>
    <message numerus="yes">
        <source>{count} answers being written</source>
        <comment>{count} answer being written</comment>
        <translation>
            <numerusform>{count} réponse en cours d’écriture</numerusform>
            <numerusform>{count} réponses en cours d’écriture</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} unread messages</source>
        <comment>{count} unread message</comment>
        <translation>
            <numerusform>{count} message non lu</numerusform>
            <numerusform>{count} messages non lus</numerusform>
        </translation>
    </message>
    <message>
        <source>Open ChatDesk</source>
        <translation>Ouvrir ChatDesk</translation>
    </message>
    <message>
        <source>Quit ChatDesk</source>
        <translation>Quitter ChatDesk</translation>
    </message>
    <message>
        <source>The summary is out of date and not sent. Make it again to have it sent.</source>
        <translation>Le résumé n’est plus à jour et n’est pas envoyé. Refaites-le pour qu’il soit envoyé.</translation>
    </message>
    <message>
        <source>summary out of date</source>
        <translation>résumé périmé</translation>
    </message>
    <message numerus="yes">
        <source>≈ {count} tokens</source>
        <comment>≈ {count} token</comment>
        <translation>
            <numerusform>≈ {count} token</numerusform>
            <numerusform>≈ {count} tokens</numerusform>
        </translation>
    </message>
    <message>
        <source>About {used} of {window} tokens are taken; {reserved} are kept for the answer.</source>
        <translation>Environ {used} tokens sur {window} sont occupés&#xa0;; {reserved} sont réservés à la réponse.</translation>
    </message>
    <message>
        <source>{used} of {window} tokens are taken; {reserved} are kept for the answer.</source>
        <translation>{used} tokens sur {window} sont occupés&#xa0;; {reserved} sont réservés à la réponse.</translation>
    </message>
    <message>
        <source>Your message alone does not fit: shorten it, attach it, or choose a larger model.</source>
        <translation>Votre message est à lui seul trop long&#xa0;: raccourcissez-le, joignez-le, ou choisissez un modèle plus grand.</translation>
    </message>
    <message numerus="yes">
        <source>It is full: {count} older messages stay behind because of what you are writing.</source>
        <comment>It is full: {count} older message stays behind because of what you are writing.</comment>
        <translation>
            <numerusform>Il est plein&#xa0;: {count} message plus ancien est laissé de côté à cause de ce que vous écrivez.</numerusform>
            <numerusform>Il est plein&#xa0;: {count} messages plus anciens sont laissés de côté à cause de ce que vous écrivez.</numerusform>
        </translation>
    </message>
    <message>
        <source>It is full: the oldest messages stay behind when you send.</source>
        <translation>Il est plein&#xa0;: les messages les plus anciens seront laissés de côté à l’envoi.</translation>
    </message>
    <message>
        <source>{free} tokens are free before older messages stay behind.</source>
        <translation>{free} tokens restent libres avant que des messages anciens soient laissés de côté.</translation>
    </message>
    <message>
        <source>The count is an estimate for this model.</source>
        <translation>Ce compte est une estimation pour ce modèle.</translation>
    </message>
    <message>
        <source>Context</source>
        <translation>Contexte</translation>
    </message>
    <message>
        <source>Summary</source>
        <translation>Résumé</translation>
    </message>
    <message>
        <source>Usage</source>
        <translation>Utilisation</translation>
    </message>
    <message>
        <source>Tree</source>
        <translation>Arbre</translation>
    </message>
    <message>
        <source>Questions</source>
        <translation>Questions</translation>
    </message>
    <message>
        <source>Artifacts</source>
        <translation>Artefacts</translation>
    </message>
    <message>
        <source>Pinned: it goes with every question of this thread</source>
        <translation>Fixé&#xa0;: il accompagne chaque question de cette conversation</translation>
    </message>
    <message>
        <source>Left out of this thread</source>
        <translation>Laissé de côté dans cette conversation</translation>
    </message>
    <message>
        <source>Sent where it fits the question</source>
        <translation>Envoyé s’il correspond à la question</translation>
    </message>
    <message>
        <source>Hide the inspector</source>
        <translation>Masquer l’inspecteur</translation>
    </message>
    <message>
        <source>Show the inspector</source>
        <translation>Afficher l’inspecteur</translation>
    </message>
    <message>
        <source>Request copied</source>
        <translation>Requête copiée</translation>
    </message>
    <message>
        <source>The summary is being made in the background</source>
        <translation>Le résumé est en cours en arrière-plan</translation>
    </message>
    <message>
        <source>The older messages of this thread no longer fit.</source>
        <translation>Les messages anciens de cette conversation ne tiennent plus dans le contexte.</translation>
    </message>
    <message>
        <source>{taken} so far.</source>
        <translation>{taken} jusqu’ici.</translation>
    </message>
    <message>
        <source>No price is known for {model}.</source>
        <translation>Le prix de {model} n’est pas connu.</translation>
    </message>
    <message>
        <source>Until then only the newest messages are sent.</source>
        <translation>D’ici là, seuls les messages les plus récents sont envoyés.</translation>
    </message>
    <message numerus="yes">
        <source>Summarising the older messages: {requests} of about {count} requests, {spent}.</source>
        <comment>Summarising the older messages: {requests} of about {count} request, {spent}.</comment>
        <translation>
            <numerusform>Résumé des messages anciens&#xa0;: {requests} sur environ {count} requête, {spent}.</numerusform>
            <numerusform>Résumé des messages anciens&#xa0;: {requests} sur environ {count} requêtes, {spent}.</numerusform>
        </translation>
    </message>
    <message>
        <source>Older messages summarised: {taken}</source>
        <translation>Messages anciens résumés&#xa0;: {taken}</translation>
    </message>
    <message numerus="yes">
        <source>Summarising them with {model} takes about {count} requests and {tokens} tokens.</source>
        <comment>Summarising them with {model} takes about {count} request and {tokens} tokens.</comment>
        <translation>
            <numerusform>Les résumer avec {model} demande environ {count} requête et {tokens} tokens.</numerusform>
            <numerusform>Les résumer avec {model} demande environ {count} requêtes et {tokens} tokens.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Summarising them with {model} takes about {count} requests and {tokens} tokens, at no cost.</source>
        <comment>Summarising them with {model} takes about {count} request and {tokens} tokens, at no cost.</comment>
        <translation>
            <numerusform>Les résumer avec {model} demande environ {count} requête et {tokens} tokens, sans frais.</numerusform>
            <numerusform>Les résumer avec {model} demande environ {count} requêtes et {tokens} tokens, sans frais.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Summarising them with {model} takes about {count} requests and {tokens} tokens, about {cost}.</source>
        <comment>Summarising them with {model} takes about {count} request and {tokens} tokens, about {cost}.</comment>
        <translation>
            <numerusform>Les résumer avec {model} demande environ {count} requête et {tokens} tokens, environ {cost}.</numerusform>
            <numerusform>Les résumer avec {model} demande environ {count} requêtes et {tokens} tokens, environ {cost}.</numerusform>
        </translation>
    </message>
    <message>
        <source>the server&apos;s own model</source>
        <translation>le modèle du serveur</translation>
    </message>
    <message numerus="yes">
        <source>{count} requests, {spent}</source>
        <comment>{count} request, {spent}</comment>
        <translation>
            <numerusform>{count} requête, {spent}</numerusform>
            <numerusform>{count} requêtes, {spent}</numerusform>
        </translation>
    </message>
    <message>
        <source>{tokens} tokens, {cost}</source>
        <translation>{tokens} tokens, {cost}</translation>
    </message>
    <message>
        <source>{tokens} tokens</source>
        <translation>{tokens} tokens</translation>
    </message>
    <message>
        <source>Summarise</source>
        <translation>Résumer</translation>
    </message>
    <message>
        <source>Not now</source>
        <translation>Pas maintenant</translation>
    </message>
    <message>
        <source>Pinned into the context</source>
        <translation>Fixé dans le contexte</translation>
    </message>
    <message>
        <source>Excluded from the context</source>
        <translation>Exclu du contexte</translation>
    </message>
    <message>
        <source>Sent as it fits</source>
        <translation>Envoyé si la place le permet</translation>
    </message>
    <message>
        <source>The context starts here</source>
        <translation>Le contexte commence ici</translation>
    </message>
    <message>
        <source>The context starts at the beginning</source>
        <translation>Le contexte commence au début</translation>
    </message>
    <message>
        <source>Pinned</source>
        <translation>Épinglée</translation>
    </message>
    <message>
        <source>No longer pinned</source>
        <translation>N’est plus épinglée</translation>
    </message>
    <message>
        <source>Archived</source>
        <translation>Archivée</translation>
    </message>
    <message>
        <source>Out of the archive</source>
        <translation>Sortie des archives</translation>
    </message>
    <message>
        <source>Moved to the trash</source>
        <translation>Mise à la corbeille</translation>
    </message>
    <message>
        <source>Restored</source>
        <translation>Restaurée</translation>
    </message>
    <message>
        <source>Moved to {name}</source>
        <translation>Déplacée vers {name}</translation>
    </message>
    <message>
        <source>Tags changed</source>
        <translation>Étiquettes modifiées</translation>
    </message>
    <message>
        <source>1 thread</source>
        <translation>1 conversation</translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads for good?</source>
        <comment>Delete this thread for good?</comment>
        <translation>
            <numerusform>Supprimer définitivement cette conversation&#xa0;?</numerusform>
            <numerusform>Supprimer définitivement {count} conversations&#xa0;?</numerusform>
        </translation>
    </message>
    <message>
        <source>{title}: all messages are removed. This cannot be undone.</source>
        <translation>{title}&#xa0;: tous les messages sont supprimés. C’est irréversible.</translation>
    </message>
    <message>
        <source>Delete for good</source>
        <translation>Supprimer définitivement</translation>
    </message>
    <message>
        <source>The trash is empty.</source>
        <translation>La corbeille est vide.</translation>
    </message>
    <message>
        <source>Empty the trash?</source>
        <translation>Vider la corbeille&#xa0;?</translation>
    </message>
    <message>
        <source>Empty the trash</source>
        <translation>Vider la corbeille</translation>
    </message>
    <message>
        <source>delete for good</source>
        <translation>supprimer définitivement</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads are gone.</source>
        <comment>{count} thread is gone.</comment>
        <translation>
            <numerusform>{count} conversation a été supprimée définitivement.</numerusform>
            <numerusform>{count} conversations ont été supprimées définitivement.</numerusform>
        </translation>
    </message>
    <message>
        <source>rename tag</source>
        <translation>renommer l’étiquette</translation>
    </message>
    <message>
        <source>The tag is called {name} now</source>
        <translation>L’étiquette s’appelle maintenant {name}</translation>
    </message>
    <message>
        <source>The tag was deleted; its threads stay</source>
        <translation>L’étiquette a été supprimée&#xa0;; ses conversations restent</translation>
    </message>
    <message numerus="yes">
        <source>Pin {count} threads</source>
        <comment>Pin thread</comment>
        <translation>
            <numerusform>Épingler la conversation</numerusform>
            <numerusform>Épingler {count} conversations</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Unpin {count} threads</source>
        <comment>Unpin thread</comment>
        <translation>
            <numerusform>Désépingler la conversation</numerusform>
            <numerusform>Désépingler {count} conversations</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Archive {count} threads</source>
        <comment>Archive thread</comment>
        <translation>
            <numerusform>Archiver la conversation</numerusform>
            <numerusform>Archiver {count} conversations</numerusform>
        </translation>
    </message>
    <message>
        <source>Take out of the archive</source>
        <translation>Sortir des archives</translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads for good…</source>
        <comment>Delete thread for good…</comment>
        <translation>
            <numerusform>Supprimer définitivement la conversation…</numerusform>
            <numerusform>Supprimer définitivement {count} conversations…</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads</source>
        <comment>Delete thread</comment>
        <translation>
            <numerusform>Supprimer la conversation</numerusform>
            <numerusform>Supprimer {count} conversations</numerusform>
        </translation>
    </message>
    <message>
        <source>Sort threads by last activity</source>
        <translation>Trier les conversations par dernière activité</translation>
    </message>
    <message>
        <source>Sort threads by name</source>
        <translation>Trier les conversations par nom</translation>
    </message>
    <message>
        <source>Group threads by date</source>
        <translation>Regrouper les conversations par date</translation>
    </message>
    <message>
        <source>Group threads by project</source>
        <translation>Regrouper les conversations par projet</translation>
    </message>
    <message>
        <source>Sorted by name</source>
        <translation>Tri par nom</translation>
    </message>
    <message>
        <source>Sorted by last activity</source>
        <translation>Tri par dernière activité</translation>
    </message>
    <message>
        <source>Grouped by project</source>
        <translation>Regroupement par projet</translation>
    </message>
    <message>
        <source>Grouped by date</source>
        <translation>Regroupement par date</translation>
    </message>
    <message>
        <source>Move to a project</source>
        <translation>Déplacer vers un projet</translation>
    </message>
    <message>
        <source>Move to a project: {what}</source>
        <translation>Déplacer vers un projet&#xa0;: {what}</translation>
    </message>
    <message>
        <source>Teal</source>
        <translation>Sarcelle</translation>
    </message>
    <message>
        <source>Blue</source>
        <translation>Bleu</translation>
    </message>
    <message>
        <source>Indigo</source>
        <translation>Indigo</translation>
    </message>
    <message>
        <source>Purple</source>
        <translation>Violet</translation>
    </message>
    <message>
        <source>Magenta</source>
        <translation>Magenta</translation>
    </message>
    <message>
        <source>Red</source>
        <translation>Rouge</translation>
    </message>
    <message>
        <source>Orange</source>
        <translation>Orange</translation>
    </message>
    <message>
        <source>Olive</source>
        <translation>Olive</translation>
    </message>
    <message>
        <source>Green</source>
        <translation>Vert</translation>
    </message>
    <message>
        <source>Slate</source>
        <translation>Ardoise</translation>
    </message>
    <message>
        <source>The current colour</source>
        <translation>La couleur actuelle</translation>
    </message>
    <message>
        <source>New project</source>
        <translation>Nouveau projet</translation>
    </message>
    <message>
        <source>Edit project</source>
        <translation>Modifier le projet</translation>
    </message>
    <message>
        <source>Name of the project</source>
        <translation>Nom du projet</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Nom</translation>
    </message>
    <message>
        <source>Colour</source>
        <translation>Couleur</translation>
    </message>
    <message>
        <source>New threads begin with</source>
        <translation>Les nouvelles conversations commencent avec</translation>
    </message>
    <message>
        <source>Folder of the project</source>
        <translation>Dossier du projet</translation>
    </message>
    <message>
        <source>Folder on this computer, for tools (optional)</source>
        <translation>Dossier sur cet ordinateur, pour les outils (facultatif)</translation>
    </message>
    <message>
        <source>Create</source>
        <translation>Créer</translation>
    </message>
    <message>
        <source>Instructions</source>
        <translation>Instructions</translation>
    </message>
    <message>
        <source>For example: answer as an editor would, in British English.</source>
        <translation>Par exemple&#xa0;: répondez comme un relecteur, en français.</translation>
    </message>
    <message>
        <source>Instructions for its threads (optional)</source>
        <translation>Instructions pour ses conversations (facultatif)</translation>
    </message>
    <message>
        <source>Model that new threads begin with</source>
        <translation>Modèle avec lequel commencent les nouvelles conversations</translation>
    </message>
    <message>
        <source>The model chosen in the settings</source>
        <translation>Le modèle choisi dans les paramètres</translation>
    </message>
    <message>
        <source>Archive</source>
        <translation>Archives</translation>
    </message>
    <message>
        <source>Move out of the archive</source>
        <translation>Sortir des archives</translation>
    </message>
    <message>
        <source>Archive</source>
        <comment>verb</comment>
        <translation>Archiver</translation>
    </message>
    <message>
        <source>Delete…</source>
        <translation>Supprimer…</translation>
    </message>
    <message>
        <source>All projects</source>
        <translation>Tous les projets</translation>
    </message>
    <message>
        <source>Edit {name}…</source>
        <translation>Modifier {name}…</translation>
    </message>
    <message>
        <source>Sharing of {name}…</source>
        <translation>Partage de {name}…</translation>
    </message>
    <message>
        <source>Share {name}…</source>
        <translation>Partager {name}…</translation>
    </message>
    <message>
        <source>In the trash</source>
        <translation>Dans la corbeille</translation>
    </message>
    <message>
        <source>add project</source>
        <translation>ajouter le projet</translation>
    </message>
    <message>
        <source>change project</source>
        <translation>modifier le projet</translation>
    </message>
    <message>
        <source>The project was changed</source>
        <translation>Le projet a été modifié</translation>
    </message>
    <message>
        <source>archive project</source>
        <translation>archiver le projet</translation>
    </message>
    <message>
        <source>unarchive project</source>
        <translation>désarchiver le projet</translation>
    </message>
    <message>
        <source>Archived: {name}</source>
        <translation>Archivé&#xa0;: {name}</translation>
    </message>
    <message>
        <source>Out of the archive: {name}</source>
        <translation>Sorti des archives&#xa0;: {name}</translation>
    </message>
    <message>
        <source>Delete the project “{name}”?</source>
        <translation>Supprimer le projet «&#xa0;{name}&#xa0;»&#xa0;?</translation>
    </message>
    <message>
        <source>Move to trash</source>
        <translation>Mettre à la corbeille</translation>
    </message>
    <message>
        <source>Moved to the trash: {name}</source>
        <translation>Mis à la corbeille&#xa0;: {name}</translation>
    </message>
    <message>
        <source>The project was restored</source>
        <translation>Le projet a été restauré</translation>
    </message>
    <message>
        <source>Take project out of the archive</source>
        <translation>Sortir le projet des archives</translation>
    </message>
    <message>
        <source>Archive project</source>
        <translation>Archiver le projet</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads go to the trash with it ({archived} archived).</source>
        <comment>{count} thread goes to the trash with it ({archived} archived).</comment>
        <translation>
            <numerusform>{count} conversation va à la corbeille avec lui (archivées&#xa0;: {archived}).</numerusform>
            <numerusform>{count} conversations vont à la corbeille avec lui (archivées&#xa0;: {archived}).</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads go to the trash with it.</source>
        <comment>{count} thread goes to the trash with it.</comment>
        <translation>
            <numerusform>{count} conversation va à la corbeille avec lui.</numerusform>
            <numerusform>{count} conversations vont à la corbeille avec lui.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>All of it can be restored for {count} days.</source>
        <comment>All of it can be restored for {count} day.</comment>
        <translation>
            <numerusform>Tout peut être restauré pendant {count} jour.</numerusform>
            <numerusform>Tout peut être restauré pendant {count} jours.</numerusform>
        </translation>
    </message>
    <message>
        <source>{name} ({number}, made {day})</source>
        <translation>{name} ({number}, créé le {day})</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads of all projects, with all messages, will be removed. This cannot be undone.</source>
        <comment>{count} thread of all projects, with all messages, will be removed. This cannot be undone.</comment>
        <translation>
            <numerusform>{count} conversation de tous les projets sera supprimée, avec tous ses messages. C’est irréversible.</numerusform>
            <numerusform>{count} conversations de tous les projets seront supprimées, avec tous leurs messages. C’est irréversible.</numerusform>
        </translation>
    </message>
    <message>
        <source>In shared projects it erases for everyone what you wrote, or all of it where you are an owner or admin. The rest is hidden on this computer only.</source>
        <translation>Dans les projets partagés, cela efface pour tous ce que vous avez écrit, ou tout là où vous êtes propriétaire ou administrateur. Le reste n’est masqué que sur cet ordinateur.</translation>
    </message>
    <message>
        <source>Tags: {what}</source>
        <translation>Étiquettes&#xa0;: {what}</translation>
    </message>
    <message>
        <source>New tag</source>
        <translation>Nouvelle étiquette</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>Renommer</translation>
    </message>
    <message>
        <source>There are no tags yet. Put one on a thread with “Tags…” in its menu.</source>
        <translation>Il n’y a pas encore d’étiquettes. Ajoutez-en une à une conversation avec «&#xa0;Étiquettes…&#xa0;» dans son menu.</translation>
    </message>
    <message>
        <source>Close the open dialog first, then open the link again. Nothing was changed.</source>
        <translation>Fermez d’abord la boîte de dialogue ouverte, puis ouvrez à nouveau le lien. Rien n’a été modifié.</translation>
    </message>
    <message>
        <source>The message of the link is not shown in this thread: it was deleted, or is in another version.</source>
        <translation>Le message du lien n’est pas affiché dans cette conversation&#xa0;: il a été supprimé, ou est dans une autre version.</translation>
    </message>
    <message>
        <source>The thread of this link is not on this computer.</source>
        <translation>La conversation de ce lien n’est pas sur cet ordinateur.</translation>
    </message>
    <message>
        <source>If it belongs to a project that is shared with you, wait until it is synced, then open the link again.</source>
        <translation>Si elle appartient à un projet partagé avec vous, attendez qu’il soit synchronisé, puis ouvrez à nouveau le lien.</translation>
    </message>
    <message>
        <source>A temporary chat has no link, because nothing of it is stored.</source>
        <translation>Une discussion temporaire n’a pas de lien, car rien n’en est enregistré.</translation>
    </message>
    <message>
        <source>Link copied. It opens the thread on your computers that have it.</source>
        <translation>Lien copié. Il ouvre la conversation sur ceux de vos ordinateurs qui l’ont.</translation>
    </message>
    <message>
        <source>Revoke the token “{name}”?</source>
        <translation>Révoquer le jeton «&#xa0;{name}&#xa0;»&#xa0;?</translation>
    </message>
    <message>
        <source>Programs that use it are refused from now on, and what they are doing ends. This cannot be undone.</source>
        <translation>Les programmes qui l’utilisent sont refusés dès maintenant, et leurs opérations en cours prennent fin. C’est irréversible.</translation>
    </message>
    <message>
        <source>Revoke</source>
        <translation>Révoquer</translation>
    </message>
    <message>
        <source>Editors, scripts and browsers of this computer read, write and ask over HTTP, with a token of yours.</source>
        <translation>Les éditeurs, scripts et navigateurs de cet ordinateur lisent, écrivent et interrogent par HTTP, avec l’un de vos jetons.</translation>
    </message>
    <message>
        <source>Turn the service on to make tokens and to see the existing ones.</source>
        <translation>Activez le service pour créer des jetons et voir ceux qui existent.</translation>
    </message>
    <message>
        <source>There are no tokens. Each program gets one of its own.</source>
        <translation>Il n’y a pas de jeton. Chaque programme reçoit le sien.</translation>
    </message>
    <message>
        <source>The environment variable {fixed_by} decides this.</source>
        <translation>La variable d’environnement {fixed_by} en décide.</translation>
    </message>
    <message>
        <source>Copy address</source>
        <translation>Copier l’adresse</translation>
    </message>
    <message>
        <source>New token…</source>
        <translation>Nouveau jeton…</translation>
    </message>
    <message>
        <source>On, at {address}</source>
        <translation>Actif, à l’adresse {address}</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>Démarrage…</translation>
    </message>
    <message>
        <source>Tokens</source>
        <comment>access</comment>
        <translation>Jetons</translation>
    </message>
    <message>
        <source>Tokens</source>
        <translation>Tokens</translation>
    </message>
    <message>
        <source>The address is in the clipboard.</source>
        <translation>L’adresse est dans le presse-papiers.</translation>
    </message>
    <message>
        <source>Revoke…</source>
        <translation>Révoquer…</translation>
    </message>
    <message>
        <source>Revoke {name}</source>
        <translation>Révoquer {name}</translation>
    </message>
    <message>
        <source>a project in the trash</source>
        <translation>un projet dans la corbeille</translation>
    </message>
    <message>
        <source>all projects</source>
        <translation>tous les projets</translation>
    </message>
    <message>
        <source>until {moment}</source>
        <translation>jusqu’au {moment}</translation>
    </message>
    <message>
        <source>last used {moment}</source>
        <translation>dernière utilisation&#xa0;: {moment}</translation>
    </message>
    <message>
        <source>30 days</source>
        <translation>30 jours</translation>
    </message>
    <message>
        <source>90 days</source>
        <translation>90 jours</translation>
    </message>
    <message>
        <source>A year</source>
        <translation>Un an</translation>
    </message>
    <message>
        <source>Until it is revoked</source>
        <translation>Jusqu’à sa révocation</translation>
    </message>
    <message>
        <source>New token</source>
        <translation>Nouveau jeton</translation>
    </message>
    <message>
        <source>What will use it</source>
        <translation>Programme qui l’utilisera</translation>
    </message>
    <message>
        <source>For example: editor</source>
        <translation>Par exemple&#xa0;: éditeur</translation>
    </message>
    <message>
        <source>Valid for</source>
        <translation>Valable</translation>
    </message>
    <message>
        <source>The token</source>
        <translation>Le jeton</translation>
    </message>
    <message>
        <source>Copy the token</source>
        <translation>Copier le jeton</translation>
    </message>
    <message>
        <source>Make token</source>
        <translation>Créer le jeton</translation>
    </message>
    <message>
        <source>In these projects only</source>
        <translation>Dans ces projets seulement</translation>
    </message>
    <message>
        <source>None chosen: in all of them.</source>
        <translation>Aucun choisi&#xa0;: dans tous.</translation>
    </message>
    <message>
        <source>This is the token for “{name}”. It is shown only now and stored nowhere: copy it to where it is used.</source>
        <translation>Voici le jeton de «&#xa0;{name}&#xa0;». Il n’est affiché que maintenant et n’est enregistré nulle part&#xa0;: copiez-le là où il servira.</translation>
    </message>
    <message>
        <source>It may</source>
        <translation>Il peut</translation>
    </message>
    <message>
        <source>Say what will use it.</source>
        <translation>Indiquez quel programme l’utilisera.</translation>
    </message>
    <message>
        <source>Choose what it may do.</source>
        <translation>Choisissez ce qu’il peut faire.</translation>
    </message>
    <message>
        <source>Making the token…</source>
        <translation>Création du jeton…</translation>
    </message>
    <message>
        <source>The token is in the clipboard.</source>
        <translation>Le jeton est dans le presse-papiers.</translation>
    </message>
    <message>
        <source>Text size {percent}%</source>
        <translation>Taille du texte&#xa0;: {percent}&#xa0;%</translation>
    </message>
    <message>
        <source>Assistant</source>
        <translation>Assistant</translation>
    </message>
    <message>
        <source>Assistant: {name}</source>
        <translation>Assistant&#xa0;: {name}</translation>
    </message>
    <message>
        <source>No assistant</source>
        <translation>Aucun assistant</translation>
    </message>
    <message>
        <source>Edit assistants…</source>
        <translation>Modifier les assistants…</translation>
    </message>
    <message>
        <source>choose assistant</source>
        <translation>choisir un assistant</translation>
    </message>
    <message>
        <source>Assistants, files and resources</source>
        <translation>Assistants, fichiers et ressources</translation>
    </message>
    <message>
        <source>Their instructions, models, tools and files</source>
        <translation>Leurs instructions, modèles, outils et fichiers</translation>
    </message>
    <message>
        <source>New assistant…</source>
        <translation>Nouvel assistant…</translation>
    </message>
    <message>
        <source>A prompt with a model, tools and files of its own, asked with @</source>
        <translation>Un prompt avec son modèle, ses outils et ses fichiers, appelé avec @</translation>
    </message>
    <message numerus="yes">
        <source>{count} names, arrows choose, Enter takes it, Esc closes.</source>
        <comment>{count} name, arrows choose, Enter takes it, Esc closes.</comment>
        <translation>
            <numerusform>{count} nom, flèches pour choisir, Entrée pour l’insérer, Échap pour fermer.</numerusform>
            <numerusform>{count} noms, flèches pour choisir, Entrée pour insérer, Échap pour fermer.</numerusform>
        </translation>
    </message>
    <message>
        <source>Files of the assistant</source>
        <translation>Fichiers de l’assistant</translation>
    </message>
    <message>
        <source>Sparkles</source>
        <translation>Étincelles</translation>
    </message>
    <message>
        <source>Brain</source>
        <translation>Cerveau</translation>
    </message>
    <message>
        <source>Light bulb</source>
        <translation>Ampoule</translation>
    </message>
    <message>
        <source>Wand</source>
        <translation>Baguette</translation>
    </message>
    <message>
        <source>Pencil</source>
        <translation>Crayon</translation>
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
        <translation>Loupe</translation>
    </message>
    <message>
        <source>Languages</source>
        <translation>Langues</translation>
    </message>
    <message>
        <source>Letter</source>
        <translation>Lettre</translation>
    </message>
    <message>
        <source>Checklist</source>
        <translation>Liste à cocher</translation>
    </message>
    <message>
        <source>Table</source>
        <translation>Tableau</translation>
    </message>
    <message>
        <source>Database</source>
        <translation>Base de données</translation>
    </message>
    <message>
        <source>Palette</source>
        <translation>Palette</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>Image</translation>
    </message>
    <message>
        <source>Gauge</source>
        <translation>Jauge</translation>
    </message>
    <message>
        <source>Star</source>
        <translation>Étoile</translation>
    </message>
    <message>
        <source>Person</source>
        <translation>Personne</translation>
    </message>
    <message>
        <source>People</source>
        <translation>Personnes</translation>
    </message>
    <message>
        <source>As in the thread</source>
        <translation>Comme dans la conversation</translation>
    </message>
    <message>
        <source>Icon</source>
        <translation>Icône</translation>
    </message>
    <message>
        <source>Model that answers</source>
        <translation>Modèle qui répond</translation>
    </message>
    <message>
        <source>Find by meaning with</source>
        <translation>Recherche par le sens</translation>
    </message>
    <message>
        <source>The vectors that come with ChatDesk are made on this computer and know English best. A model for embeddings of a provider knows more languages, and gets the texts of the files.</source>
        <translation>Les vecteurs fournis avec ChatDesk sont calculés sur cet ordinateur et connaissent surtout l’anglais. Le modèle d’embeddings d’un fournisseur connaît plus de langues, et reçoit le texte des fichiers.</translation>
    </message>
    <message>
        <source>Who makes the vectors</source>
        <translation>Qui calcule les vecteurs</translation>
    </message>
    <message>
        <source>ChatDesk, on this computer</source>
        <translation>ChatDesk, sur cet ordinateur</translation>
    </message>
    <message>
        <source>Model for embeddings</source>
        <translation>Modèle d’embeddings</translation>
    </message>
    <message>
        <source>Vectors by</source>
        <translation>Vecteurs de</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modèle</translation>
    </message>
    <message>
        <source>Parameters</source>
        <translation>Paramètres du modèle</translation>
    </message>
    <message numerus="yes">
        <source>{count} values set</source>
        <comment>{count} value set</comment>
        <translation>
            <numerusform>{count} valeur définie</numerusform>
            <numerusform>{count} valeurs définies</numerusform>
        </translation>
    </message>
    <message>
        <source>{provider}, not set up here</source>
        <translation>{provider}, pas configuré ici</translation>
    </message>
    <message>
        <source>No tools</source>
        <translation>Aucun outil</translation>
    </message>
    <message>
        <source>Add files…</source>
        <translation>Ajouter des fichiers…</translation>
    </message>
    <message>
        <source>This computer has no keyring that could keep the key. Keep it in ChatDesk&apos;s encrypted file of keys instead; you enter its passphrase once after each start.</source>
        <translation>Cet ordinateur n’a pas de trousseau pour garder la clé. Gardez-la plutôt dans le fichier de clés chiffré de ChatDesk&#xa0;; vous saisissez sa phrase secrète une fois après chaque démarrage.</translation>
    </message>
    <message>
        <source>Folder that something carries between your computers</source>
        <translation>Dossier transporté entre vos ordinateurs</translation>
    </message>
    <message>
        <source>Browse…</source>
        <translation>Parcourir…</translation>
    </message>
    <message>
        <source>Choose the folder</source>
        <translation>Choisir le dossier</translation>
    </message>
    <message>
        <source>Recovery phrase</source>
        <translation>Phrase de récupération</translation>
    </message>
    <message>
        <source>I have written it down, or saved it</source>
        <translation>Je l’ai notée ou enregistrée</translation>
    </message>
    <message>
        <source>Copy the phrase</source>
        <translation>Copier la phrase</translation>
    </message>
    <message>
        <source>Save to print…</source>
        <translation>Enregistrer pour imprimer…</translation>
    </message>
    <message>
        <source>Your other computers need this recovery phrase, and with it alone you get your chats back. Whoever has it and the folder can read everything. It is not shown again.</source>
        <translation>Vos autres ordinateurs ont besoin de cette phrase de récupération, et elle suffit pour retrouver vos discussions. Quiconque la possède avec le dossier peut tout lire. Elle ne sera plus affichée.</translation>
    </message>
    <message>
        <source>Recovery phrase of ChatDesk for my computers: {phrase}</source>
        <translation>Phrase de récupération de ChatDesk pour mes ordinateurs&#xa0;: {phrase}</translation>
    </message>
    <message>
        <source>The phrase is in the clipboard.</source>
        <translation>La phrase est dans le presse-papiers.</translation>
    </message>
    <message>
        <source>Save the recovery phrase</source>
        <translation>Enregistrer la phrase de récupération</translation>
    </message>
    <message>
        <source>ChatDesk recovery phrase.txt</source>
        <translation>Phrase de récupération ChatDesk.txt</translation>
    </message>
    <message>
        <source>Start with this computer</source>
        <translation>Commencer avec cet ordinateur</translation>
    </message>
    <message>
        <source>Check the folder</source>
        <translation>Vérifier le dossier</translation>
    </message>
    <message>
        <source>Start</source>
        <translation>Commencer</translation>
    </message>
    <message>
        <source>Writing into the folder…</source>
        <translation>Écriture dans le dossier…</translation>
    </message>
    <message>
        <source>Looking at the folder…</source>
        <translation>Vérification du dossier…</translation>
    </message>
    <message>
        <source>Join your computers</source>
        <translation>Rejoindre vos ordinateurs</translation>
    </message>
    <message>
        <source>Recovery phrase, as it was shown on the other computer</source>
        <translation>Phrase de récupération, telle qu’affichée sur l’autre ordinateur</translation>
    </message>
    <message>
        <source>Look inside</source>
        <translation>Regarder</translation>
    </message>
    <message>
        <source>Joining…</source>
        <translation>Connexion en cours…</translation>
    </message>
    <message>
        <source>Looking into the folder…</source>
        <translation>Lecture du dossier…</translation>
    </message>
    <message>
        <source>Remove {name}</source>
        <translation>Retirer {name}</translation>
    </message>
    <message>
        <source>{name} keeps, and can read, everything that it had. It gets nothing new, and what it writes from now on reaches none of your other computers. These need the new phrase below: choose Join again on each.</source>
        <translation>{name} garde tout ce qu’il avait et peut le lire. Il ne reçoit rien de nouveau, et ce qu’il écrit désormais ne parvient à aucun de vos autres ordinateurs. Ceux-ci ont besoin de la nouvelle phrase ci-dessous&#xa0;: choisissez «&#xa0;Rejoindre de nouveau&#xa0;» sur chacun.</translation>
    </message>
    <message>
        <source>Removing the computer…</source>
        <translation>Retrait de l’ordinateur…</translation>
    </message>
    <message>
        <source>{title}: {detail}</source>
        <translation>{title}&#xa0;: {detail}</translation>
    </message>
    <message>
        <source>Still to fill in: {missing}.</source>
        <translation>Reste à remplir&#xa0;: {missing}.</translation>
    </message>
    <message>
        <source>The prompt was not inserted: another thread is open now.</source>
        <translation>Le prompt n’a pas été inséré&#xa0;: une autre conversation est ouverte maintenant.</translation>
    </message>
    <message>
        <source>There is no text in the clipboard.</source>
        <translation>Il n’y a pas de texte dans le presse-papiers.</translation>
    </message>
    <message>
        <source>Nothing is selected in the thread.</source>
        <translation>Rien n’est sélectionné dans la conversation.</translation>
    </message>
    <message>
        <source>Message {name} — drop files here, / for prompts</source>
        <translation>Message à {name} – déposez des fichiers ici, / pour les prompts</translation>
    </message>
    <message>
        <source>Fill in: {prompt_name}</source>
        <translation>Remplir&#xa0;: {prompt_name}</translation>
    </message>
    <message>
        <source>Insert</source>
        <translation>Insérer</translation>
    </message>
    <message>
        <source>Template, for the composer</source>
        <translation>Modèle de texte, pour la zone de saisie</translation>
    </message>
    <message>
        <source>System prompt</source>
        <translation>Prompt système</translation>
    </message>
    <message>
        <source>Quick action, below an answer</source>
        <translation>Action rapide, sous une réponse</translation>
    </message>
    <message>
        <source>Assistant, with @</source>
        <translation>Assistant, avec @</translation>
    </message>
    <message>
        <source>{{date}} {{time}} {{clipboard}} {{selection}} {{project}} {{model}} {{thread}} are filled in. Any other name, such as {{topic}}, {{topic:default}} or {{tone|formal|casual}}, is asked for.</source>
        <translation>{{date}} {{time}} {{clipboard}} {{selection}} {{project}} {{model}} {{thread}} sont remplacés automatiquement. Tout autre nom, comme {{topic}}, {{topic:default}} ou {{tone|formal|casual}}, vous est demandé.</translation>
    </message>
    <message>
        <source>Choosing it below an answer, in its menu or in the search asks this about the answer. The variables of templates are filled in; where one is asked for, the text goes into the composer first.</source>
        <translation>Choisie sous une réponse, dans son menu ou dans la recherche, elle demande ceci à propos de la réponse. Les variables des modèles de texte sont remplacées&#xa0;; quand l’une doit être demandée, le texte passe d’abord dans la zone de saisie.</translation>
    </message>
    <message>
        <source>{{date}} {{time}} {{project}} {{model}} are filled in each time it is sent.</source>
        <translation>{{date}} {{time}} {{project}} {{model}} sont remplacés à chaque envoi.</translation>
    </message>
    <message>
        <source>The text is its instructions, sent in place of the system prompt. Choose it below the message for a whole thread, or type @ for one question.</source>
        <translation>Le texte contient ses instructions, envoyées à la place du prompt système. Choisissez-le sous le message pour toute une conversation, ou saisissez @ pour une question.</translation>
    </message>
    <message>
        <source>Name of the prompt</source>
        <translation>Nom du prompt</translation>
    </message>
    <message>
        <source>Kind of prompt</source>
        <translation>Type de prompt</translation>
    </message>
    <message>
        <source>Text of the prompt</source>
        <translation>Texte du prompt</translation>
    </message>
    <message>
        <source>What the prompt says</source>
        <translation>Ce que dit le prompt</translation>
    </message>
    <message>
        <source>Prompts (*.json)</source>
        <translation>Prompts (*.json)</translation>
    </message>
    <message>
        <source>Something went wrong. Nothing was stored; the text is kept here.</source>
        <translation>Un problème est survenu. Rien n’a été enregistré&#xa0;; le texte est gardé ici.</translation>
    </message>
    <message>
        <source>add prompt</source>
        <translation>ajouter un prompt</translation>
    </message>
    <message>
        <source>delete prompt</source>
        <translation>supprimer un prompt</translation>
    </message>
    <message>
        <source>edit prompt</source>
        <translation>modifier un prompt</translation>
    </message>
    <message>
        <source>Import prompts</source>
        <translation>Importer des prompts</translation>
    </message>
    <message>
        <source>Export prompts</source>
        <translation>Exporter des prompts</translation>
    </message>
    <message>
        <source>import prompts</source>
        <translation>importer des prompts</translation>
    </message>
    <message numerus="yes">
        <source>Added: {count} prompts. What was there already stays as it is.</source>
        <comment>Added: {count} prompt. What was there already stays as it is.</comment>
        <translation>
            <numerusform>Ajouté&#xa0;: {count} prompt. Ce qui était déjà là reste tel quel.</numerusform>
            <numerusform>Ajoutés&#xa0;: {count} prompts. Ce qui était déjà là reste tel quel.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Exported: {count} prompts to {name}.</source>
        <comment>Exported: {count} prompt to {name}.</comment>
        <translation>
            <numerusform>Exporté&#xa0;: {count} prompt vers {name}.</numerusform>
            <numerusform>Exportés&#xa0;: {count} prompts vers {name}.</numerusform>
        </translation>
    </message>
    <message>
        <source>All prompts</source>
        <translation>Tous les prompts</translation>
    </message>
    <message>
        <source>Templates</source>
        <translation>Modèles de texte</translation>
    </message>
    <message>
        <source>System prompts</source>
        <translation>Prompts système</translation>
    </message>
    <message>
        <source>Quick actions</source>
        <translation>Actions rapides</translation>
    </message>
    <message>
        <source>Assistants</source>
        <translation>Assistants</translation>
    </message>
    <message>
        <source>Deleted: {name}</source>
        <translation>Supprimé&#xa0;: {name}</translation>
    </message>
    <message>
        <source>New</source>
        <translation>Nouveau</translation>
    </message>
    <message>
        <source>Undo deleting the prompt</source>
        <translation>Annuler la suppression du prompt</translation>
    </message>
    <message>
        <source>Duplicate</source>
        <translation>Dupliquer</translation>
    </message>
    <message>
        <source>Revert</source>
        <translation>Rétablir</translation>
    </message>
    <message numerus="yes">
        <source>{count} more: type part of a name.</source>
        <comment>{count} more: type part of a name.</comment>
        <translation>
            <numerusform>{count} autre&#xa0;: saisissez une partie du nom.</numerusform>
            <numerusform>{count} autres&#xa0;: saisissez une partie du nom.</numerusform>
        </translation>
    </message>
    <message>
        <source>Make your last answer shorter. Keep what matters most.</source>
        <translation>Raccourcissez votre dernière réponse. Gardez l’essentiel.</translation>
    </message>
    <message>
        <source>Make your last answer longer. Go into more detail.</source>
        <translation>Développez votre dernière réponse. Entrez davantage dans les détails.</translation>
    </message>
    <message>
        <source>Asked below this answer. What came after it stays as another version.</source>
        <translation>Demandé sous cette réponse. Ce qui suivait est conservé comme autre version.</translation>
    </message>
    <message>
        <source>Quick action: {name}</source>
        <translation>Action rapide&#xa0;: {name}</translation>
    </message>
    <message>
        <source>Select something in the thread first.</source>
        <translation>Sélectionnez d’abord quelque chose dans la conversation.</translation>
    </message>
    <message>
        <source>From {name}</source>
        <translation>De {name}</translation>
    </message>
    <message>
        <source>{title}, from {name}</source>
        <translation>{title}, de {name}</translation>
    </message>
    <message>
        <source>Asking {server} for “{title}”…</source>
        <translation>Demande de «&#xa0;{title}&#xa0;» à {server}…</translation>
    </message>
    <message>
        <source>{server} wrote this text. Read it before you send it.</source>
        <translation>{server} a écrit ce texte. Lisez-le avant de l’envoyer.</translation>
    </message>
    <message>
        <source>“{title}” came while you were typing.</source>
        <translation>«&#xa0;{title}&#xa0;» est arrivé pendant votre saisie.</translation>
    </message>
    <message>
        <source>{label} (optional)</source>
        <translation>{label} (facultatif)</translation>
    </message>
    <message>
        <source>System prompt of this thread</source>
        <translation>Prompt système de cette conversation</translation>
    </message>
    <message>
        <source>System prompt of the project</source>
        <translation>Prompt système du projet</translation>
    </message>
    <message>
        <source>Sent before the messages with every question. {{date}}, {{time}}, {{project}} and {{model}} are filled in each time.</source>
        <translation>Envoyé avant les messages avec chaque question. {{date}}, {{time}}, {{project}} et {{model}} sont remplacés à chaque envoi.</translation>
    </message>
    <message>
        <source>System prompts of the library</source>
        <translation>Prompts système de la bibliothèque</translation>
    </message>
    <message>
        <source>From the library</source>
        <translation>De la bibliothèque</translation>
    </message>
    <message>
        <source>Save to the library</source>
        <translation>Vers la bibliothèque</translation>
    </message>
    <message>
        <source>This thread</source>
        <translation>Cette conversation</translation>
    </message>
    <message>
        <source>Project {name}</source>
        <translation>Projet {name}</translation>
    </message>
    <message>
        <source>Sent in every thread of the project that has none of its own.</source>
        <translation>Envoyé dans chaque conversation du projet qui n’en a pas.</translation>
    </message>
    <message>
        <source>The project has none: in threads without their own, the default from the settings is sent.</source>
        <translation>Le projet n’en a pas&#xa0;: dans les conversations sans prompt propre, celui des paramètres est envoyé.</translation>
    </message>
    <message>
        <source>The project has none: in threads without their own, no system prompt is sent.</source>
        <translation>Le projet n’en a pas&#xa0;: dans les conversations sans prompt propre, aucun prompt système n’est envoyé.</translation>
    </message>
    <message>
        <source>This thread&apos;s own system prompt is sent.</source>
        <translation>Le prompt système de cette conversation est envoyé.</translation>
    </message>
    <message>
        <source>This thread has none: the project&apos;s is sent.</source>
        <translation>Cette conversation n’en a pas&#xa0;: celui du projet est envoyé.</translation>
    </message>
    <message>
        <source>Neither thread nor project has one: the default from the settings is sent.</source>
        <translation>Ni la conversation ni le projet n’en a&#xa0;: celui des paramètres est envoyé.</translation>
    </message>
    <message>
        <source>Neither thread nor project has one: no system prompt is sent.</source>
        <translation>Ni la conversation ni le projet n’en a&#xa0;: aucun prompt système n’est envoyé.</translation>
    </message>
    <message numerus="yes">
        <source>About {count} tokens of the {window} that the model can read go to it in every request.</source>
        <comment>About {count} token of the {window} that the model can read go to it in every request.</comment>
        <translation>
            <numerusform>Environ {count} token sur les {window} que le modèle peut lire lui est consacré à chaque requête.</numerusform>
            <numerusform>Environ {count} tokens sur les {window} que le modèle peut lire lui sont consacrés à chaque requête.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens of the {window} that the model can read go to it in every request.</source>
        <comment>{count} token of the {window} that the model can read go to it in every request.</comment>
        <translation>
            <numerusform>{count} token sur les {window} que le modèle peut lire lui est consacré à chaque requête.</numerusform>
            <numerusform>{count} tokens sur les {window} que le modèle peut lire lui sont consacrés à chaque requête.</numerusform>
        </translation>
    </message>
    <message>
        <source>Shorten it, or choose a model with a larger window.</source>
        <translation>Raccourcissez-le, ou choisissez un modèle doté d’une plus grande fenêtre.</translation>
    </message>
    <message numerus="yes">
        <source>About {count} tokens: it leaves no room for a message in the {window} that the model can read.</source>
        <comment>About {count} token: it leaves no room for a message in the {window} that the model can read.</comment>
        <translation>
            <numerusform>Environ {count} token&#xa0;: il ne laisse pas de place à un message dans les {window} que le modèle peut lire.</numerusform>
            <numerusform>Environ {count} tokens&#xa0;: il ne laisse pas de place à un message dans les {window} que le modèle peut lire.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens: it leaves no room for a message in the {window} that the model can read.</source>
        <comment>{count} token: it leaves no room for a message in the {window} that the model can read.</comment>
        <translation>
            <numerusform>{count} token&#xa0;: il ne laisse pas de place à un message dans les {window} que le modèle peut lire.</numerusform>
            <numerusform>{count} tokens&#xa0;: il ne laisse pas de place à un message dans les {window} que le modèle peut lire.</numerusform>
        </translation>
    </message>
    <message>
        <source>An imported system prompt is sent with your question.</source>
        <translation>Un prompt système importé est envoyé avec votre question.</translation>
    </message>
    <message>
        <source>{name} changed the system prompt; it is sent with your question.</source>
        <translation>{name} a modifié le prompt système&#xa0;; il est envoyé avec votre question.</translation>
    </message>
    <message>
        <source>A temporary chat has the instructions of its project.</source>
        <translation>Une discussion temporaire a les instructions de son projet.</translation>
    </message>
    <message>
        <source>Saved to the library: {name}</source>
        <translation>Enregistré dans la bibliothèque&#xa0;: {name}</translation>
    </message>
    <message>
        <source>change system prompt</source>
        <translation>modifier le prompt système</translation>
    </message>
    <message>
        <source>The system prompt was changed</source>
        <translation>Le prompt système a été modifié</translation>
    </message>
    <message>
        <source>{what} Agree only if you made this change yourself and trust that server.</source>
        <translation>{what} N’acceptez que si ce changement vient de vous et si vous faites confiance à ce serveur.</translation>
    </message>
    <message>
        <source>Your name for it</source>
        <translation>Nom personnalisé</translation>
    </message>
    <message>
        <source>Sees images</source>
        <translation>Voit les images</translation>
    </message>
    <message>
        <source>$ in / 1M</source>
        <translation>$ entrée / 1M</translation>
    </message>
    <message>
        <source>$ out / 1M</source>
        <translation>$ sortie / 1M</translation>
    </message>
    <message>
        <source>Offered when a model is chosen.</source>
        <translation>Proposé dans le choix du modèle.</translation>
    </message>
    <message>
        <source>The id of the model at its server.</source>
        <translation>L’identifiant du modèle sur son serveur.</translation>
    </message>
    <message>
        <source>The name under which it is offered.</source>
        <translation>Le nom sous lequel il est proposé.</translation>
    </message>
    <message>
        <source>Whether images are sent to it. A dash means unknown.</source>
        <translation>Si des images lui sont envoyées. Un tiret signifie inconnu.</translation>
    </message>
    <message>
        <source>How many tokens it reads at once, such as 128k.</source>
        <translation>Combien de tokens il lit en une fois, par exemple 128k.</translation>
    </message>
    <message>
        <source>US dollars for a million tokens that it reads.</source>
        <translation>Dollars US pour un million de tokens lus.</translation>
    </message>
    <message>
        <source>US dollars for a million tokens that it writes.</source>
        <translation>Dollars US pour un million de tokens écrits.</translation>
    </message>
    <message>
        <source>not known</source>
        <translation>inconnu</translation>
    </message>
    <message>
        <source>yes</source>
        <translation>oui</translation>
    </message>
    <message>
        <source>no</source>
        <translation>non</translation>
    </message>
    <message>
        <source>Change the passphrase</source>
        <translation>Changer la phrase secrète</translation>
    </message>
    <message>
        <source>Keys are locked</source>
        <translation>Les clés sont verrouillées</translation>
    </message>
    <message>
        <source>The current passphrase</source>
        <translation>La phrase secrète actuelle</translation>
    </message>
    <message>
        <source>Passphrase</source>
        <translation>Phrase secrète</translation>
    </message>
    <message>
        <source>The new passphrase again</source>
        <translation>Confirmez la nouvelle phrase secrète</translation>
    </message>
    <message>
        <source>The keys of your providers are in a file that a passphrase encrypts. You enter it once after each start.</source>
        <translation>Les clés de vos fournisseurs sont dans un fichier chiffré par une phrase secrète. Vous la saisissez une fois après chaque démarrage.</translation>
    </message>
    <message>
        <source>Change</source>
        <translation>Changer</translation>
    </message>
    <message>
        <source>The two new passphrases are not the same.</source>
        <translation>Les deux nouvelles phrases secrètes ne sont pas identiques.</translation>
    </message>
    <message>
        <source>Remove {label}?</source>
        <translation>Retirer {label}&#xa0;?</translation>
    </message>
    <message>
        <source>Its key is forgotten. Threads keep their answers; a thread that used it asks for another model.</source>
        <translation>Sa clé est oubliée. Les conversations gardent leurs réponses&#xa0;; celles qui l’utilisaient demanderont un autre modèle.</translation>
    </message>
    <message>
        <source>{problem} Nothing was sent; see Settings, Providers.</source>
        <translation>{problem} Rien n’a été envoyé&#xa0;; consultez Paramètres, Fournisseurs.</translation>
    </message>
    <message>
        <source>Chat completions, which every server has</source>
        <translation>Chat completions, que tout serveur propose</translation>
    </message>
    <message>
        <source>Responses, where the server has it</source>
        <translation>Responses, si le serveur le propose</translation>
    </message>
    <message>
        <source>Anthropic&apos;s messages</source>
        <translation>Les messages d’Anthropic</translation>
    </message>
    <message>
        <source>Address</source>
        <translation>Adresse</translation>
    </message>
    <message>
        <source>localhost:8080 or https://…</source>
        <translation>localhost:8080 ou https://…</translation>
    </message>
    <message>
        <source>Protocol</source>
        <translation>Protocole</translation>
    </message>
    <message>
        <source>Use this provider</source>
        <translation>Utiliser ce fournisseur</translation>
    </message>
    <message>
        <source>Set by the variable OPENAI_BASE_URL, so it cannot be changed here.</source>
        <translation>Définie par la variable OPENAI_BASE_URL, elle ne peut donc pas être modifiée ici.</translation>
    </message>
    <message>
        <source>Enter the address of the server.</source>
        <translation>Saisissez l’adresse du serveur.</translation>
    </message>
    <message>
        <source>Enter the name of your resource in the address.</source>
        <translation>Saisissez le nom de votre ressource dans l’adresse.</translation>
    </message>
    <message>
        <source>Stop the test</source>
        <translation>Arrêter le test</translation>
    </message>
    <message>
        <source>Test</source>
        <translation>Tester</translation>
    </message>
    <message>
        <source>API key</source>
        <translation>Clé d’API</translation>
    </message>
    <message>
        <source>More settings</source>
        <translation>Autres paramètres</translation>
    </message>
    <message>
        <source>Remove…</source>
        <translation>Retirer…</translation>
    </message>
    <message>
        <source>In the system keyring</source>
        <translation>Dans le trousseau du système</translation>
    </message>
    <message>
        <source>For this run only</source>
        <translation>Jusqu’à la fermeture seulement</translation>
    </message>
    <message>
        <source>In a file that a passphrase encrypts</source>
        <translation>Dans un fichier chiffré par une phrase secrète</translation>
    </message>
    <message>
        <source>Replace</source>
        <translation>Remplacer</translation>
    </message>
    <message>
        <source>Replace the key</source>
        <translation>Remplacer la clé</translation>
    </message>
    <message>
        <source>Forget</source>
        <translation>Oublier</translation>
    </message>
    <message>
        <source>Forget the key</source>
        <translation>Oublier la clé</translation>
    </message>
    <message>
        <source>Use it there…</source>
        <translation>L’utiliser sur ce serveur…</translation>
    </message>
    <message>
        <source>Use the kept key at this server</source>
        <translation>Utiliser la clé conservée sur ce serveur</translation>
    </message>
    <message>
        <source>Paste the key</source>
        <translation>Coller la clé</translation>
    </message>
    <message>
        <source>Get a key</source>
        <translation>Obtenir une clé</translation>
    </message>
    <message>
        <source>Where the key is kept</source>
        <translation>Où la clé est conservée</translation>
    </message>
    <message>
        <source>Passphrase of the file of keys</source>
        <translation>Phrase secrète du fichier de clés</translation>
    </message>
    <message>
        <source>{place}; it has precedence over a stored key, so it cannot be changed here</source>
        <translation>{place}&#xa0;; elle a priorité sur une clé conservée, elle ne peut donc pas être modifiée ici</translation>
    </message>
    <message>
        <source>The kept key is used at this server from now on.</source>
        <translation>La clé conservée est utilisée sur ce serveur à partir de maintenant.</translation>
    </message>
    <message>
        <source>Key, if the server asks for one</source>
        <translation>Clé, si le serveur en demande une</translation>
    </message>
    <message>
        <source>The passphrase of the file</source>
        <translation>La phrase secrète du fichier</translation>
    </message>
    <message>
        <source>It is never written in plain text.</source>
        <translation>Elle n’est jamais écrite en clair.</translation>
    </message>
    <message>
        <source>{why}: choose where the key is kept.</source>
        <translation>{why}&#xa0;: choisissez où la clé est conservée.</translation>
    </message>
    <message>
        <source>Models of {label}</source>
        <translation>Modèles de {label}</translation>
    </message>
    <message>
        <source>Arrows move, Space ticks, F2 or typing changes a cell.</source>
        <translation>Flèches pour se déplacer, Espace pour cocher, F2 ou la frappe pour modifier une cellule.</translation>
    </message>
    <message>
        <source>Id of a model that is missing</source>
        <translation>Identifiant d’un modèle manquant</translation>
    </message>
    <message>
        <source>Fetch the list again</source>
        <translation>Récupérer à nouveau la liste</translation>
    </message>
    <message>
        <source>The team does not see it</source>
        <translation>L’équipe ne le voit pas</translation>
    </message>
    <message>
        <source>The team sees its name</source>
        <translation>L’équipe voit son nom</translation>
    </message>
    <message>
        <source>The team gets its text</source>
        <translation>L’équipe reçoit son texte</translation>
    </message>
    <message>
        <source>Files of {project}</source>
        <translation>Fichiers de {project}</translation>
    </message>
    <message>
        <source>ChatDesk reads these on this computer, keeps them current, and sends the passages that fit a question with it. The answer names them.</source>
        <translation>ChatDesk les lit sur cet ordinateur, les tient à jour, et envoie avec une question les passages qui lui correspondent. La réponse les cite.</translation>
    </message>
    <message>
        <source>Folders, files and pages</source>
        <translation>Dossiers, fichiers et pages</translation>
    </message>
    <message>
        <source>Folder, file or address to add</source>
        <translation>Dossier, fichier ou adresse à ajouter</translation>
    </message>
    <message>
        <source>Path of a folder or file, or https://…</source>
        <translation>Chemin d’un dossier ou d’un fichier, ou https://…</translation>
    </message>
    <message>
        <source>Folder…</source>
        <translation>Dossier…</translation>
    </message>
    <message>
        <source>Add a folder</source>
        <translation>Ajouter un dossier</translation>
    </message>
    <message>
        <source>File…</source>
        <translation>Fichier…</translation>
    </message>
    <message>
        <source>Add a file</source>
        <translation>Ajouter un fichier</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>Ajouter</translation>
    </message>
    <message>
        <source>Last here</source>
        <translation>Dernière visite</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>En attente</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Taille</translation>
    </message>
    <message>
        <source>Computers</source>
        <translation>Ordinateurs</translation>
    </message>
    <message>
        <source>Remove this computer…</source>
        <translation>Retirer cet ordinateur…</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Mettre en pause</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Reprendre</translation>
    </message>
    <message>
        <source>Have the same chats on all computers of yours. A folder that something carries between them is enough: Syncthing, Nextcloud, Dropbox, a network drive or a USB stick. Everything is encrypted before it is written there.</source>
        <translation>Retrouvez les mêmes discussions sur tous vos ordinateurs. Il suffit d’un dossier transporté entre eux&#xa0;: Syncthing, Nextcloud, Dropbox, un lecteur réseau ou une clé USB. Tout est chiffré avant d’y être écrit.</translation>
    </message>
    <message>
        <source>Start…</source>
        <translation>Commencer…</translation>
    </message>
    <message>
        <source>Join…</source>
        <translation>Rejoindre…</translation>
    </message>
    <message>
        <source>The first computer</source>
        <translation>Le premier ordinateur</translation>
    </message>
    <message>
        <source>Choose an empty folder. You get a recovery phrase, which your other computers need.</source>
        <translation>Choisissez un dossier vide. Vous recevez une phrase de récupération, dont vos autres ordinateurs ont besoin.</translation>
    </message>
    <message>
        <source>A further computer, or a new one</source>
        <translation>Un autre ordinateur, ou un nouveau</translation>
    </message>
    <message>
        <source>Choose the same folder and give the phrase. You see whose it is before anything is merged.</source>
        <translation>Choisissez le même dossier et donnez la phrase. Vous voyez à qui il est avant toute fusion.</translation>
    </message>
    <message>
        <source>Join again…</source>
        <translation>Rejoindre de nouveau…</translation>
    </message>
    <message>
        <source>Forget the folder…</source>
        <translation>Oublier le dossier…</translation>
    </message>
    <message>
        <source>older than before</source>
        <translation>plus ancien qu’avant</translation>
    </message>
    <message>
        <source>older files</source>
        <translation>fichiers plus anciens</translation>
    </message>
    <message>
        <source>Read again</source>
        <translation>Relire</translation>
    </message>
    <message>
        <source>Left out…</source>
        <translation>Exclusions…</translation>
    </message>
    <message>
        <source>Choose what of the folder is left out</source>
        <translation>Choisir ce qui est exclu du dossier</translation>
    </message>
    <message>
        <source>Secrets…</source>
        <translation>Secrets…</translation>
    </message>
    <message>
        <source>Choose which files that look like secrets are read</source>
        <translation>Choisir quels fichiers qui ressemblent à des secrets sont lus</translation>
    </message>
    <message>
        <source>What the team gets</source>
        <translation>Ce que l’équipe reçoit</translation>
    </message>
    <message>
        <source>With the text, members&apos; computers get all passages. Where a member chose a provider&apos;s model for the vectors, it gets them, too.</source>
        <translation>Avec le texte, les ordinateurs des membres reçoivent tous les passages. Si un membre a choisi le modèle d’un fournisseur pour les vecteurs, ce fournisseur les reçoit aussi.</translation>
    </message>
    <message>
        <source>Change…</source>
        <translation>Changer…</translation>
    </message>
    <message>
        <source>Change what makes the vectors</source>
        <translation>Changer ce qui calcule les vecteurs</translation>
    </message>
    <message>
        <source>Who gets them…</source>
        <translation>Qui les reçoit…</translation>
    </message>
    <message>
        <source>Choose which providers get the files</source>
        <translation>Choisir quels fournisseurs reçoivent les fichiers</translation>
    </message>
    <message>
        <source>Try a question</source>
        <translation>Essayer une question</translation>
    </message>
    <message>
        <source>Try a question: what would be found?</source>
        <translation>Essayer une question&#xa0;: que trouverait-elle&#xa0;?</translation>
    </message>
    <message>
        <source>What would be found</source>
        <translation>Ce qui serait trouvé</translation>
    </message>
    <message>
        <source>Kept questions…</source>
        <translation>Questions gardées…</translation>
    </message>
    <message>
        <source>Keep questions and run them again</source>
        <translation>Garder des questions et les relancer</translation>
    </message>
    <message numerus="yes">
        <source>and {count} more</source>
        <comment>and {count} more</comment>
        <translation>
            <numerusform>et {count} autre</numerusform>
            <numerusform>et {count} autres</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} passages found</source>
        <comment>{count} passage found</comment>
        <translation>
            <numerusform>{count} passage trouvé</numerusform>
            <numerusform>{count} passages trouvés</numerusform>
        </translation>
    </message>
    <message>
        <source>Go on reading</source>
        <translation>Reprendre la lecture</translation>
    </message>
    <message>
        <source>shared by the team</source>
        <translation>partagé par l’équipe</translation>
    </message>
    <message>
        <source>being listed</source>
        <translation>liste en préparation</translation>
    </message>
    <message>
        <source>last read {when}</source>
        <translation>dernière lecture&#xa0;: {when}</translation>
    </message>
    <message>
        <source>Add the model</source>
        <translation>Ajouter le modèle</translation>
    </message>
    <message>
        <source>What you type comes before what the server says. Prices are used for costs and limits.</source>
        <translation>Votre saisie prime sur ce que dit le serveur. Les prix servent aux coûts et aux limites.</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>Comme le système</translation>
    </message>
    <message>
        <source>Connection</source>
        <translation>Connexion</translation>
    </message>
    <message>
        <source>First word</source>
        <translation>Premier mot</translation>
    </message>
    <message>
        <source>Silence</source>
        <translation>Silence</translation>
    </message>
    <message>
        <source>Model for new threads</source>
        <translation>Modèle des nouvelles conversations</translation>
    </message>
    <message>
        <source>Only those of the system</source>
        <translation>Seulement ceux du système</translation>
    </message>
    <message>
        <source>The usual time</source>
        <translation>La durée habituelle</translation>
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
        <translation>Comme le système, aucun, ou une adresse comme http://proxy.example:3128</translation>
    </message>
    <message>
        <source>File of certificates</source>
        <translation>Fichier de certificats</translation>
    </message>
    <message>
        <source>Choose a file of certificates</source>
        <translation>Choisir un fichier de certificats</translation>
    </message>
    <message>
        <source>Headers, one a line as Name: value</source>
        <translation>En-têtes, un par ligne sous la forme Nom: valeur</translation>
    </message>
    <message>
        <source>{what}, seconds</source>
        <translation>{what}, secondes</translation>
    </message>
    <message>
        <source>Certificates to trust in addition to the system&apos;s</source>
        <translation>Certificats de confiance en plus de ceux du système</translation>
    </message>
    <message>
        <source>Headers; values that are keys are stored with your keys</source>
        <translation>En-têtes&#xa0;; les valeurs qui sont des clés sont conservées avec vos clés</translation>
    </message>
    <message>
        <source>Seconds to wait for</source>
        <translation>Secondes d’attente pour</translation>
    </message>
    <message>
        <source>Certificates (*.pem *.crt *.cer);;All files (*)</source>
        <translation>Certificats (*.pem *.crt *.cer);;Tous les fichiers (*)</translation>
    </message>
    <message>
        <source>{what} must be a number of seconds.</source>
        <translation>{what} doit être un nombre de secondes.</translation>
    </message>
    <message>
        <source>Stopped</source>
        <translation>Arrêté</translation>
    </message>
    <message>
        <source>The picture that is sent with the question</source>
        <translation>L’image envoyée avec la question</translation>
    </message>
    <message>
        <source>Clipboard</source>
        <translation>Presse-papiers</translation>
    </message>
    <message>
        <source>Selection</source>
        <translation>Sélection</translation>
    </message>
    <message>
        <source>Screenshot</source>
        <translation>Capture d’écran</translation>
    </message>
    <message>
        <source>There is no text on the clipboard.</source>
        <translation>Il n’y a pas de texte dans le presse-papiers.</translation>
    </message>
    <message>
        <source>No text is selected in another window.</source>
        <translation>Aucun texte n’est sélectionné dans une autre fenêtre.</translation>
    </message>
    <message numerus="yes">
        <source>{name}, only the first {count} characters</source>
        <comment>{name}, only the first {count} character</comment>
        <translation>
            <numerusform>{name}, seulement le premier caractère</numerusform>
            <numerusform>{name}, seulement les {count} premiers caractères</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}, {count} characters</source>
        <comment>{name}, {count} character</comment>
        <translation>
            <numerusform>{name}, {count} caractère</numerusform>
            <numerusform>{name}, {count} caractères</numerusform>
        </translation>
    </message>
    <message>
        <source>Ask anything</source>
        <translation>Posez une question</translation>
    </message>
    <message>
        <source>Add the clipboard</source>
        <translation>Ajouter le presse-papiers</translation>
    </message>
    <message>
        <source>Add the selection</source>
        <translation>Ajouter la sélection</translation>
    </message>
    <message>
        <source>Add a screenshot</source>
        <translation>Ajouter une capture d’écran</translation>
    </message>
    <message>
        <source>New</source>
        <comment>question</comment>
        <translation>Nouvelle</translation>
    </message>
    <message>
        <source>Open in ChatDesk</source>
        <translation>Ouvrir dans ChatDesk</translation>
    </message>
    <message>
        <source>{words}: leave it out</source>
        <translation>{words}&#xa0;: ne pas inclure</translation>
    </message>
    <message>
        <source>Choose a part of the screen</source>
        <translation>Choisissez une zone de l’écran</translation>
    </message>
    <message>
        <source>Drag over a part, or press Enter for what is framed. Arrows move the frame, Shift+arrows change its size, Alt makes small steps, Esc leaves.</source>
        <translation>Faites glisser pour délimiter une zone, ou appuyez sur Entrée pour celle qui est encadrée. Les flèches déplacent le cadre, Maj+flèches changent sa taille, Alt réduit le pas, Échap quitte.</translation>
    </message>
    <message>
        <source>This desktop lets programs take no picture of the screen.</source>
        <translation>Cet environnement de bureau ne laisse pas les programmes capturer l’écran.</translation>
    </message>
    <message>
        <source>Nothing was taken.</source>
        <translation>Rien n’a été capturé.</translation>
    </message>
    <message>
        <source>Take one with the desktop&apos;s own program, and paste it into a message in the large window.</source>
        <translation>Faites une capture avec l’outil de votre bureau, et collez-la dans un message de la grande fenêtre.</translation>
    </message>
    <message>
        <source>The desktop gave no file with the picture.</source>
        <translation>L’environnement de bureau n’a fourni aucun fichier contenant l’image.</translation>
    </message>
    <message>
        <source>The picture of the screen is too large.</source>
        <translation>La capture d’écran est trop grande.</translation>
    </message>
    <message>
        <source>The desktop&apos;s picture of the screen cannot be read.</source>
        <translation>La capture d’écran fournie par l’environnement de bureau ne peut pas être lue.</translation>
    </message>
    <message>
        <source>Making a backup…</source>
        <translation>Sauvegarde en cours…</translation>
    </message>
    <message>
        <source>Checking… This reads everything and can take a while.</source>
        <translation>Vérification… Tout est lu, cela peut prendre un moment.</translation>
    </message>
    <message>
        <source>Checking and repairing…</source>
        <translation>Vérification et réparation…</translation>
    </message>
    <message>
        <source>Writing the zip…</source>
        <translation>Écriture du zip…</translation>
    </message>
    <message>
        <source>Checking the database</source>
        <translation>Vérification de la base de données</translation>
    </message>
    <message>
        <source>Repairing the database</source>
        <translation>Réparation de la base de données</translation>
    </message>
    <message>
        <source>Another window has this data directory open.</source>
        <translation>Une autre fenêtre a ouvert ce dossier de données.</translation>
    </message>
    <message>
        <source>The backup was made: {name}</source>
        <translation>La sauvegarde a été faite&#xa0;: {name}</translation>
    </message>
    <message>
        <source>Nothing is wrong.</source>
        <translation>Tout est en ordre.</translation>
    </message>
    <message>
        <source>Save everything as a zip</source>
        <translation>Tout enregistrer en zip</translation>
    </message>
    <message>
        <source>Everything was saved to {name}.</source>
        <translation>Tout a été enregistré dans {name}.</translation>
    </message>
    <message>
        <source>and {lost} more</source>
        <translation>et {lost} de plus</translation>
    </message>
    <message numerus="yes">
        <source>All but {count} attachments were saved to {name}:</source>
        <comment>All but {count} attachment was saved to {name}:</comment>
        <translation>
            <numerusform>Tout sauf {count} pièce jointe a été enregistré dans {name}&#xa0;:</numerusform>
            <numerusform>Tout sauf {count} pièces jointes a été enregistré dans {name}&#xa0;:</numerusform>
        </translation>
    </message>
    <message>
        <source>Import and export</source>
        <translation>Importer et exporter</translation>
    </message>
    <message>
        <source>Take over chats from ChatGPT, Claude and others, or write yours as Markdown, web pages, PDF or JSON.</source>
        <translation>Reprenez des discussions de ChatGPT, Claude et d’autres, ou enregistrez les vôtres en Markdown, pages web, PDF ou JSON.</translation>
    </message>
    <message>
        <source>Back up and restore</source>
        <translation>Sauvegarder et restaurer</translation>
    </message>
    <message>
        <source>ChatDesk makes a backup each day and before each upgrade, and checks each one.</source>
        <translation>ChatDesk fait une sauvegarde chaque jour et avant chaque mise à niveau, et les vérifie toutes.</translation>
    </message>
    <message>
        <source>Save everything as a zip…</source>
        <translation>Tout enregistrer en zip…</translation>
    </message>
    <message>
        <source>Show folder</source>
        <translation>Afficher le dossier</translation>
    </message>
    <message>
        <source>Restore…</source>
        <translation>Restaurer…</translation>
    </message>
    <message>
        <source>Check reads everything that is stored. Repair makes a copy first and says what it changed.</source>
        <translation>«&#xa0;Vérifier&#xa0;» lit tout ce qui est enregistré. «&#xa0;Réparer&#xa0;» fait d’abord une copie et indique ce qui a été modifié.</translation>
    </message>
    <message>
        <source>Check</source>
        <translation>Vérifier</translation>
    </message>
    <message>
        <source>Repair</source>
        <translation>Réparer</translation>
    </message>
    <message>
        <source>Something went wrong?</source>
        <translation>Un problème&#xa0;?</translation>
    </message>
    <message>
        <source>Collects the log, the settings and failure reports, without your messages and keys.</source>
        <translation>Rassemble le journal, les paramètres et les rapports d’erreur, sans vos messages ni vos clés.</translation>
    </message>
    <message>
        <source>Backups are in {folder}</source>
        <translation>Les sauvegardes sont dans {folder}</translation>
    </message>
    <message>
        <source>Result</source>
        <translation>Résultat</translation>
    </message>
    <message>
        <source>… and {lines} more; &apos;chatdesk doctor --json&apos; lists them.</source>
        <translation>… et {lines} de plus&#xa0;; «&#xa0;chatdesk doctor --json&#xa0;» les liste.</translation>
    </message>
    <message>
        <source>{label}, its own choice</source>
        <translation>{label}, son propre choix</translation>
    </message>
    <message>
        <source>General</source>
        <translation>Général</translation>
    </message>
    <message>
        <source>Providers</source>
        <translation>Fournisseurs</translation>
    </message>
    <message>
        <source>Usage and limits</source>
        <translation>Utilisation et limites</translation>
    </message>
    <message>
        <source>Accessibility</source>
        <translation>Accessibilité</translation>
    </message>
    <message>
        <source>Team sync</source>
        <translation>Synchronisation d’équipe</translation>
    </message>
    <message>
        <source>Local service</source>
        <translation>Service local</translation>
    </message>
    <message>
        <source>Data and backup</source>
        <translation>Données et sauvegarde</translation>
    </message>
    <message>
        <source>Shortcuts</source>
        <translation>Raccourcis</translation>
    </message>
    <message>
        <source>Enter the passphrase…</source>
        <translation>Saisir la phrase secrète…</translation>
    </message>
    <message>
        <source>Change the passphrase…</source>
        <translation>Changer la phrase secrète…</translation>
    </message>
    <message>
        <source>Add provider</source>
        <translation>Ajouter un fournisseur</translation>
    </message>
    <message>
        <source>Look for servers on this computer</source>
        <translation>Rechercher des serveurs sur cet ordinateur</translation>
    </message>
    <message>
        <source>Only this computer is asked, at the usual ports, and no key is sent.</source>
        <translation>Seul cet ordinateur est interrogé, aux ports habituels, et aucune clé n’est envoyée.</translation>
    </message>
    <message>
        <source>Always available</source>
        <translation>Toujours disponible</translation>
    </message>
    <message>
        <source>Needs no network, for trying things out</source>
        <translation>Sans réseau, pour essayer</translation>
    </message>
    <message>
        <source>Your keys are in a locked file. Enter its passphrase to use them.</source>
        <translation>Vos clés sont dans un fichier verrouillé. Saisissez sa phrase secrète pour les utiliser.</translation>
    </message>
    <message>
        <source>Switched off</source>
        <translation>Désactivé</translation>
    </message>
    <message>
        <source>Test {label}</source>
        <translation>Tester {label}</translation>
    </message>
    <message>
        <source>Edit {label}</source>
        <translation>Modifier {label}</translation>
    </message>
    <message>
        <source>Search the memories</source>
        <translation>Rechercher dans les souvenirs</translation>
    </message>
    <message>
        <source>Memories to show</source>
        <translation>Souvenirs à afficher</translation>
    </message>
    <message>
        <source>Add…</source>
        <translation>Ajouter…</translation>
    </message>
    <message>
        <source>Edit…</source>
        <translation>Modifier…</translation>
    </message>
    <message>
        <source>Show its message</source>
        <translation>Afficher son message</translation>
    </message>
    <message>
        <source>Delete what is chosen</source>
        <translation>Supprimer la sélection</translation>
    </message>
    <message>
        <source>Providers that get memories. None gets them unless you tick it.</source>
        <translation>Fournisseurs qui reçoivent les souvenirs. Aucun ne les reçoit si vous ne le cochez pas.</translation>
    </message>
    <message>
        <source>Providers that get memories</source>
        <translation>Fournisseurs qui reçoivent les souvenirs</translation>
    </message>
    <message>
        <source>What you confirm is kept, and sent with your questions to the providers that you tick below.</source>
        <translation>Ce que vous confirmez est gardé, et envoyé avec vos questions aux fournisseurs que vous cochez ci-dessous.</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent. What is here stays until you delete it.</source>
        <translation>La mémoire est désactivée&#xa0;: rien n’est gardé ni envoyé. Ce qui est ici reste jusqu’à ce que vous le supprimiez.</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent until you turn it on. What is here can be deleted.</source>
        <translation>La mémoire est désactivée&#xa0;: rien n’est gardé ni envoyé tant que vous ne l’activez pas. Ce qui est ici peut être supprimé.</translation>
    </message>
    <message>
        <source>All memories</source>
        <translation>Tous les souvenirs</translation>
    </message>
    <message>
        <source>{name} (at a new address: tick it again)</source>
        <translation>{name} (à une nouvelle adresse&#xa0;: cochez-le de nouveau)</translation>
    </message>
    <message>
        <source>{name} — {address}</source>
        <translation>{name} — {address}</translation>
    </message>
    <message>
        <source>Undo the deletion</source>
        <translation>Annuler la suppression</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories</source>
        <comment>{count} memory</comment>
        <translation>
            <numerusform>{count} souvenir</numerusform>
            <numerusform>{count} souvenirs</numerusform>
        </translation>
    </message>
    <message>
        <source>No memory matches.</source>
        <translation>Aucun souvenir ne correspond.</translation>
    </message>
    <message>
        <source>Nothing is remembered yet.</source>
        <translation>Rien n’est encore mémorisé.</translation>
    </message>
    <message>
        <source>Export the memories</source>
        <translation>Exporter les souvenirs</translation>
    </message>
    <message>
        <source>JSON files (*.json)</source>
        <translation>Fichiers JSON (*.json)</translation>
    </message>
    <message>
        <source>Models…</source>
        <translation>Modèles…</translation>
    </message>
    <message>
        <source>Enter a key</source>
        <translation>Saisir une clé</translation>
    </message>
    <message>
        <source>Switch off</source>
        <translation>Désactiver</translation>
    </message>
    <message>
        <source>Switch on</source>
        <translation>Activer</translation>
    </message>
    <message numerus="yes">
        <source>{count} models of {label}</source>
        <comment>{count} model of {label}</comment>
        <translation>
            <numerusform>{count} modèle de {label}</numerusform>
            <numerusform>{count} modèles de {label}</numerusform>
        </translation>
    </message>
    <message>
        <source>Fetched {fetched}</source>
        <translation>Récupéré&#xa0;: {fetched}</translation>
    </message>
    <message>
        <source>Looking…</source>
        <translation>Recherche…</translation>
    </message>
    <message>
        <source>Not tested</source>
        <translation>Non testé</translation>
    </message>
    <message>
        <source>Result of the test</source>
        <translation>Résultat du test</translation>
    </message>
    <message>
        <source>Everything works.</source>
        <translation>Tout fonctionne.</translation>
    </message>
    <message>
        <source>Encryption</source>
        <translation>Chiffrement</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>Clé</translation>
    </message>
    <message>
        <source>Streaming</source>
        <translation>Envoi en continu</translation>
    </message>
    <message>
        <source>The key is not used before you agree</source>
        <translation>La clé n’est pas utilisée avant votre accord</translation>
    </message>
    <message>
        <source>Key from the variable {variable}</source>
        <translation>Clé de la variable {variable}</translation>
    </message>
    <message>
        <source>API key in the system keyring</source>
        <translation>Clé d’API dans le trousseau du système</translation>
    </message>
    <message>
        <source>API key in the encrypted file</source>
        <translation>Clé d’API dans le fichier chiffré</translation>
    </message>
    <message>
        <source>API key for this run only</source>
        <translation>Clé d’API jusqu’à la fermeture seulement</translation>
    </message>
    <message>
        <source>No key yet</source>
        <translation>Pas encore de clé</translation>
    </message>
    <message>
        <source>On this computer</source>
        <translation>Sur cet ordinateur</translation>
    </message>
    <message>
        <source>Any OpenAI-compatible address</source>
        <translation>Toute adresse compatible avec OpenAI</translation>
    </message>
    <message>
        <source>No key needed</source>
        <translation>Aucune clé nécessaire</translation>
    </message>
    <message>
        <source>{code}: the key was refused</source>
        <translation>{code}&#xa0;: la clé a été refusée</translation>
    </message>
    <message numerus="yes">
        <source>Works, {count} models</source>
        <comment>Works, {count} model</comment>
        <translation>
            <numerusform>Fonctionne, {count} modèle</numerusform>
            <numerusform>Fonctionne, {count} modèles</numerusform>
        </translation>
    </message>
    <message>
        <source>ChatDesk first backs up what is there now. Then it closes, restores the backup you chose, and opens again.</source>
        <translation>ChatDesk sauvegarde d’abord l’état actuel. Puis il se ferme, restaure la sauvegarde choisie, et s’ouvre à nouveau.</translation>
    </message>
    <message>
        <source>Restore a backup</source>
        <translation>Restaurer une sauvegarde</translation>
    </message>
    <message>
        <source>Backups, the newest first</source>
        <translation>Sauvegardes, la plus récente d’abord</translation>
    </message>
    <message>
        <source>Other file…</source>
        <translation>Autre fichier…</translation>
    </message>
    <message>
        <source>There is no backup yet.</source>
        <translation>Il n’y a pas encore de sauvegarde.</translation>
    </message>
    <message>
        <source>Looking into it…</source>
        <translation>Examen en cours…</translation>
    </message>
    <message>
        <source>Unpacking and checking the backup…</source>
        <translation>Décompression et vérification de la sauvegarde…</translation>
    </message>
    <message>
        <source>Choose a backup</source>
        <translation>Choisir une sauvegarde</translation>
    </message>
    <message>
        <source>Backups (*.zip *.gz *.db);;All files (*)</source>
        <translation>Sauvegardes (*.zip *.gz *.db);;Tous les fichiers (*)</translation>
    </message>
    <message>
        <source>before a restore</source>
        <translation>avant une restauration</translation>
    </message>
    <message>
        <source>before a repair</source>
        <translation>avant une réparation</translation>
    </message>
    <message>
        <source>before an upgrade</source>
        <translation>avant une mise à niveau</translation>
    </message>
    <message>
        <source>daily</source>
        <translation>quotidienne</translation>
    </message>
    <message>
        <source>Newest message: {newest}</source>
        <translation>Message le plus récent&#xa0;: {newest}</translation>
    </message>
    <message>
        <source>Newest threads:</source>
        <translation>Conversations les plus récentes&#xa0;:</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Paramètres</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>Rechercher</translation>
    </message>
    <message>
        <source>Not saved: {why}.</source>
        <translation>Non enregistré&#xa0;: {why}.</translation>
    </message>
    <message>
        <source>Pages of the settings</source>
        <translation>Pages des paramètres</translation>
    </message>
    <message>
        <source>The environment variable {env} decides this.</source>
        <translation>La variable d’environnement {env} en décide.</translation>
    </message>
    <message>
        <source>{hint} It is tried out until {day}, and may change.</source>
        <translation>{hint} À l’essai jusqu’au {day}, susceptible de changer.</translation>
    </message>
    <message>
        <source>Add a provider</source>
        <translation>Ajouter un fournisseur</translation>
    </message>
    <message>
        <source>API key server model connect</source>
        <translation>clé d’API serveur modèle connecter</translation>
    </message>
    <message>
        <source>keys</source>
        <translation>touches</translation>
    </message>
    <message>
        <source>global shortcut hotkey quick window</source>
        <translation>raccourci global fenêtre rapide</translation>
    </message>
    <message>
        <source>workspace join share invite</source>
        <translation>espace de travail rejoindre partager inviter</translation>
    </message>
    <message>
        <source>sync folder recovery phrase laptop</source>
        <translation>synchronisation dossier phrase de récupération portable</translation>
    </message>
    <message>
        <source>cost money tokens price spend</source>
        <translation>coût argent tokens prix dépenser</translation>
    </message>
    <message>
        <source>Found settings</source>
        <translation>Paramètres trouvés</translation>
    </message>
    <message>
        <source>Nothing found</source>
        <translation>Aucun résultat</translation>
    </message>
    <message numerus="yes">
        <source>days</source>
        <comment>day</comment>
        <translation>
            <numerusform>jour</numerusform>
            <numerusform>jours</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>weeks</source>
        <comment>week</comment>
        <translation>
            <numerusform>semaine</numerusform>
            <numerusform>semaines</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>minutes</source>
        <comment>minute</comment>
        <translation>
            <numerusform>minute</numerusform>
            <numerusform>minutes</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>seconds</source>
        <comment>second</comment>
        <translation>
            <numerusform>seconde</numerusform>
            <numerusform>secondes</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>tokens</source>
        <comment>token</comment>
        <translation>
            <numerusform>token</numerusform>
            <numerusform>tokens</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>files</source>
        <comment>file</comment>
        <translation>
            <numerusform>fichier</numerusform>
            <numerusform>fichiers</numerusform>
        </translation>
    </message>
    <message>
        <source>Drafts, pins, the archive, what you marked for the context, your keys and your prompts stay on this computer. So do the project&apos;s files: the team sees only the names of the folders and files that you added, or their text if you choose so in Files.</source>
        <translation>Les brouillons, les épingles, les archives, ce que vous avez marqué pour le contexte, vos clés et vos prompts restent sur cet ordinateur. Les fichiers du projet aussi&#xa0;: l’équipe ne voit que les noms des dossiers et fichiers que vous avez ajoutés, ou leur texte si vous le choisissez dans Fichiers.</translation>
    </message>
    <message>
        <source>Share “{name}”</source>
        <translation>Partager «&#xa0;{name}&#xa0;»</translation>
    </message>
    <message>
        <source>Counting…</source>
        <translation>Comptage…</translation>
    </message>
    <message>
        <source>Workspace that the project is shared with</source>
        <translation>Espace de travail avec lequel le projet est partagé</translation>
    </message>
    <message>
        <source>The project will be shared with “{name}”.</source>
        <translation>Le projet sera partagé avec «&#xa0;{name}&#xa0;».</translation>
    </message>
    <message>
        <source>Choose the workspace that the project is shared with.</source>
        <translation>Choisissez l’espace de travail avec lequel le projet est partagé.</translation>
    </message>
    <message>
        <source>With the workspace</source>
        <translation>Avec l’espace de travail</translation>
    </message>
    <message>
        <source>Share</source>
        <translation>Partager</translation>
    </message>
    <message>
        <source>New threads go into “{name}” unless you choose another project. Once it is shared, others see them. To keep it to yourself, make a new project for what you share.</source>
        <translation>Les nouvelles conversations vont dans «&#xa0;{name}&#xa0;» si vous ne choisissez pas un autre projet. Une fois le projet partagé, d’autres les verront. Pour les garder pour vous, créez un nouveau projet pour ce que vous partagez.</translation>
    </message>
    <message>
        <source>Who will see it</source>
        <translation>Qui le verra</translation>
    </message>
    <message>
        <source>At first only you, on all your computers. Then those whom you give a role, here or by inviting them.</source>
        <translation>Au début, vous uniquement, sur tous vos ordinateurs. Puis les personnes à qui vous donnez un rôle, ici ou en les invitant.</translation>
    </message>
    <message>
        <source>What never leaves</source>
        <translation>Ce qui ne part jamais</translation>
    </message>
    <message>
        <source>What cannot be taken back</source>
        <translation>Ce qui ne peut pas être repris</translation>
    </message>
    <message>
        <source>Good to know</source>
        <translation>Bon à savoir</translation>
    </message>
    <message>
        <source>{who} Threads of a shared project cannot be moved out of it, only copied.</source>
        <translation>{who} Les conversations d’un projet partagé ne peuvent pas en sortir, seulement être copiées.</translation>
    </message>
    <message>
        <source>Sharing the project…</source>
        <translation>Partage du projet…</translation>
    </message>
    <message>
        <source>Sharing of “{name}”</source>
        <translation>Partage de «&#xa0;{name}&#xa0;»</translation>
    </message>
    <message>
        <source>Shared with “{workspace}”. Your role is {role}: {hint}.</source>
        <translation>Partagé avec «&#xa0;{workspace}&#xa0;». Votre rôle est {role}&#xa0;: {hint}.</translation>
    </message>
    <message>
        <source>Who sees it</source>
        <translation>Qui le voit</translation>
    </message>
    <message>
        <source>How long messages are kept</source>
        <translation>Durée de conservation des messages</translation>
    </message>
    <message>
        <source>Stop sharing…</source>
        <translation>Arrêter le partage…</translation>
    </message>
    <message>
        <source>Leave project…</source>
        <translation>Quitter le projet…</translation>
    </message>
    <message>
        <source>Stop and erase…</source>
        <translation>Arrêter et effacer…</translation>
    </message>
    <message>
        <source>Invite…</source>
        <translation>Inviter…</translation>
    </message>
    <message>
        <source>Role of {name}</source>
        <translation>Rôle de {name}</translation>
    </message>
    <message>
        <source>Member</source>
        <translation>Membre</translation>
    </message>
    <message>
        <source>A change takes effect at once. People who lose access keep the copy that is on their computer already.</source>
        <translation>Une modification prend effet aussitôt. Les personnes qui perdent l’accès gardent la copie déjà présente sur leur ordinateur.</translation>
    </message>
    <message>
        <source>Setting how long messages are kept…</source>
        <translation>Enregistrement de la durée de conservation…</translation>
    </message>
    <message>
        <source>Changing the role…</source>
        <translation>Changement du rôle…</translation>
    </message>
    <message>
        <source>Older messages are being sent.</source>
        <translation>Les messages plus anciens sont en cours d’envoi.</translation>
    </message>
    <message>
        <source>Everything in it has reached the team.</source>
        <translation>Tout ce qu’il contient est arrivé à l’équipe.</translation>
    </message>
    <message>
        <source>Sharing ends for everybody at once.</source>
        <translation>Le partage prend fin aussitôt pour tous.</translation>
    </message>
    <message numerus="yes">
        <source>{count} other members can no longer see what is new.</source>
        <comment>{count} other member can no longer see what is new.</comment>
        <translation>
            <numerusform>{count} autre membre ne peut plus voir ce qui est nouveau.</numerusform>
            <numerusform>{count} autres membres ne peuvent plus voir ce qui est nouveau.</numerusform>
        </translation>
    </message>
    <message>
        <source>Each computer that has it keeps its copy as a private project, this one too; nothing is deleted here.</source>
        <translation>Chaque ordinateur qui l’a garde sa copie comme projet privé, celui-ci aussi&#xa0;; rien n’est supprimé ici.</translation>
    </message>
    <message>
        <source>Stop sharing “{name}”?</source>
        <translation>Arrêter le partage de «&#xa0;{name}&#xa0;»&#xa0;?</translation>
    </message>
    <message>
        <source>Stop sharing</source>
        <translation>Arrêter le partage</translation>
    </message>
    <message>
        <source>You and the others no longer get each other&apos;s messages. The copy on this computer stays, as a private project. To come back, somebody who manages it has to give you a role again.</source>
        <translation>Vous et les autres ne recevez plus les messages les uns des autres. La copie de cet ordinateur reste, comme projet privé. Pour revenir, quelqu’un qui le gère doit vous redonner un rôle.</translation>
    </message>
    <message>
        <source>Leave “{name}”?</source>
        <translation>Quitter «&#xa0;{name}&#xa0;»&#xa0;?</translation>
    </message>
    <message>
        <source>Leave</source>
        <translation>Quitter</translation>
    </message>
    <message>
        <source>Everything in it is removed: from the server at once, and from every computer when it syncs next, this one too.</source>
        <translation>Tout ce qu’il contient est supprimé&#xa0;: du serveur aussitôt, et de chaque ordinateur à sa prochaine synchronisation, celui-ci aussi.</translation>
    </message>
    <message numerus="yes">
        <source>{count} other members lose it, too.</source>
        <comment>{count} other member loses it, too.</comment>
        <translation>
            <numerusform>{count} autre membre le perd aussi.</numerusform>
            <numerusform>{count} autres membres le perdent aussi.</numerusform>
        </translation>
    </message>
    <message>
        <source>What somebody wrote and did not send yet stays with them. This cannot be undone. Backups keep it until they are replaced, and so does anyone who copied or exported it, or left with a private copy.</source>
        <translation>Ce que quelqu’un a écrit mais pas encore envoyé reste sur son ordinateur. C’est irréversible. Les sauvegardes le gardent jusqu’à leur remplacement, de même que quiconque l’a copié ou exporté, ou est parti avec une copie privée.</translation>
    </message>
    <message>
        <source>Stop sharing “{name}” and erase it for everyone?</source>
        <translation>Arrêter le partage de «&#xa0;{name}&#xa0;» et l’effacer pour tous&#xa0;?</translation>
    </message>
    <message>
        <source>Stop and erase</source>
        <translation>Arrêter et effacer</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes of yours did not reach the team yet and will stay only here.</source>
        <comment>{count} change of yours did not reach the team yet and will stay only here.</comment>
        <translation>
            <numerusform>{count} de vos modifications n’est pas encore parvenue à l’équipe et ne restera qu’ici.</numerusform>
            <numerusform>{count} de vos modifications ne sont pas encore parvenues à l’équipe et ne resteront qu’ici.</numerusform>
        </translation>
    </message>
    <message>
        <source>Copy text</source>
        <translation>Copier le texte</translation>
    </message>
    <message>
        <source>Team sync: details</source>
        <translation>Synchronisation d’équipe&#xa0;: détails</translation>
    </message>
    <message>
        <source>Workspace</source>
        <translation>Espace de travail</translation>
    </message>
    <message>
        <source>Check against the server</source>
        <translation>Comparer au serveur</translation>
    </message>
    <message>
        <source>When</source>
        <translation>Quand</translation>
    </message>
    <message>
        <source>What</source>
        <translation>Quoi</translation>
    </message>
    <message>
        <source>Took</source>
        <translation>Durée</translation>
    </message>
    <message>
        <source>Sync log</source>
        <translation>Journal de synchronisation</translation>
    </message>
    <message>
        <source>{count} ms</source>
        <translation>{count}&#xa0;ms</translation>
    </message>
    <message>
        <source>Go on without them…</source>
        <translation>Continuer sans elles…</translation>
    </message>
    <message numerus="yes">
        <source>Refused: {count} changes</source>
        <comment>Refused: {count} change</comment>
        <translation>
            <numerusform>Refusée&#xa0;: {count} modification</numerusform>
            <numerusform>Refusées&#xa0;: {count} modifications</numerusform>
        </translation>
    </message>
    <message>
        <source>Why</source>
        <translation>Pourquoi</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>Texte</translation>
    </message>
    <message>
        <source>Refused changes</source>
        <translation>Modifications refusées</translation>
    </message>
    <message>
        <source>The team does not have these, or has something else in their place. They are kept on this computer only, until you forget them.</source>
        <translation>L’équipe ne les a pas, ou a autre chose à leur place. Elles ne sont conservées que sur cet ordinateur, jusqu’à ce que vous les oubliiez.</translation>
    </message>
    <message>
        <source>Forget…</source>
        <translation>Oublier…</translation>
    </message>
    <message>
        <source>For the selected changes</source>
        <translation>Pour les modifications sélectionnées</translation>
    </message>
    <message>
        <source>Asking the server…</source>
        <translation>Interrogation du serveur…</translation>
    </message>
    <message>
        <source>… and {count} more.</source>
        <translation>… et {count} de plus.</translation>
    </message>
    <message numerus="yes">
        <source>{count} projects</source>
        <comment>{count} project</comment>
        <translation>
            <numerusform>{count} projet</numerusform>
            <numerusform>{count} projets</numerusform>
        </translation>
    </message>
    <message>
        <source>Encrypted, the server proves who it is</source>
        <translation>Chiffré, le serveur prouve son identité</translation>
    </message>
    <message>
        <source>Not encrypted, for a server on this computer or in a network of your own</source>
        <translation>Non chiffré, pour un serveur sur cet ordinateur ou dans votre propre réseau</translation>
    </message>
    <message>
        <source>Connection string</source>
        <translation>Chaîne de connexion</translation>
    </message>
    <message>
        <source>Pasted text fills in the fields below.</source>
        <translation>Un texte collé remplit les champs ci-dessous.</translation>
    </message>
    <message>
        <source>Host</source>
        <translation>Hôte</translation>
    </message>
    <message>
        <source>User</source>
        <translation>Utilisateur</translation>
    </message>
    <message>
        <source>An empty database</source>
        <translation>Une base de données vide</translation>
    </message>
    <message>
        <source>An account that may create roles</source>
        <translation>Un compte qui peut créer des rôles</translation>
    </message>
    <message>
        <source>Password</source>
        <translation>Mot de passe</translation>
    </message>
    <message>
        <source>Certificate file…</source>
        <translation>Fichier de certificat…</translation>
    </message>
    <message>
        <source>Certificate of the authority that vouches for the server</source>
        <translation>Certificat de l’autorité qui se porte garante du serveur</translation>
    </message>
    <message>
        <source>Certificates that this computer trusts</source>
        <translation>Certificats auxquels cet ordinateur fait confiance</translation>
    </message>
    <message>
        <source>Paste the connection string of an owner&apos;s account, or fill in the fields.</source>
        <translation>Collez la chaîne de connexion d’un compte propriétaire, ou remplissez les champs.</translation>
    </message>
    <message>
        <source>Trusted certificates</source>
        <translation>Certificats de confiance</translation>
    </message>
    <message>
        <source>The certificate named in the connection string</source>
        <translation>Le certificat indiqué dans la chaîne de connexion</translation>
    </message>
    <message>
        <source>The certificate used so far</source>
        <translation>Le certificat utilisé jusqu’ici</translation>
    </message>
    <message>
        <source>Certificate of the authority</source>
        <translation>Certificat de l’autorité</translation>
    </message>
    <message>
        <source>{name} is not a certificate in PEM form. Nothing was changed.</source>
        <translation>{name} n’est pas un certificat au format PEM. Rien n’a été modifié.</translation>
    </message>
    <message>
        <source>Only what {name} vouches for</source>
        <translation>Seulement ce dont {name} se porte garant</translation>
    </message>
    <message>
        <source>fine</source>
        <translation>correct</translation>
    </message>
    <message>
        <source>a warning</source>
        <translation>un avertissement</translation>
    </message>
    <message>
        <source>Create a workspace</source>
        <translation>Créer un espace de travail</translation>
    </message>
    <message>
        <source>Name of the workspace</source>
        <translation>Nom de l’espace de travail</translation>
    </message>
    <message>
        <source>Your name, as the others see it</source>
        <translation>Votre nom, tel que les autres le voient</translation>
    </message>
    <message>
        <source>For example: the name of your team</source>
        <translation>Par exemple&#xa0;: le nom de votre équipe</translation>
    </message>
    <message>
        <source>For example: Ana Lima</source>
        <translation>Par exemple&#xa0;: Ana Lima</translation>
    </message>
    <message>
        <source>Next</source>
        <translation>Suivant</translation>
    </message>
    <message>
        <source>Set up</source>
        <translation>Configurer</translation>
    </message>
    <message>
        <source>Invite people…</source>
        <translation>Inviter des personnes…</translation>
    </message>
    <message>
        <source>“{name}” is ready, and you are its owner. Nothing is shared yet: open a project and choose Share…, and invite the people you work with.</source>
        <translation>«&#xa0;{name}&#xa0;» est prêt, et vous en êtes propriétaire. Rien n’est encore partagé&#xa0;: ouvrez un projet et choisissez «&#xa0;Partager…&#xa0;», et invitez les personnes avec qui vous travaillez.</translation>
    </message>
    <message>
        <source>A workspace is a PostgreSQL database, 15 or newer, that your team&apos;s computers share changes through. Give an empty one, and an account that may create roles; its password is used now and not kept.</source>
        <translation>Un espace de travail est une base de données PostgreSQL, en version 15 ou plus récente, par laquelle les ordinateurs de votre équipe partagent les modifications. Indiquez une base vide, et un compte qui peut créer des rôles&#xa0;; son mot de passe sert maintenant et n’est pas conservé.</translation>
    </message>
    <message>
        <source>Was the workspace set up by hand? Then sign in with your login.</source>
        <translation>L’espace de travail a été configuré à la main&#xa0;? Alors connectez-vous avec votre compte.</translation>
    </message>
    <message>
        <source>Sign in</source>
        <translation>Se connecter</translation>
    </message>
    <message>
        <source>Your name</source>
        <translation>Votre nom</translation>
    </message>
    <message>
        <source>If setting up is interrupted, set up the same database again: it continues.</source>
        <translation>Si la configuration est interrompue, configurez à nouveau la même base de données&#xa0;: la configuration reprend.</translation>
    </message>
    <message>
        <source>Looking at the database…</source>
        <translation>Examen de la base de données…</translation>
    </message>
    <message>
        <source>Signing in…</source>
        <translation>Connexion…</translation>
    </message>
    <message>
        <source>Setting up the workspace…</source>
        <translation>Configuration de l’espace de travail…</translation>
    </message>
    <message>
        <source>What was found</source>
        <translation>Ce qui a été trouvé</translation>
    </message>
    <message numerus="yes">
        <source>{count} problems must be fixed first.</source>
        <comment>{count} problem must be fixed first.</comment>
        <translation>
            <numerusform>{count} problème doit d’abord être corrigé.</numerusform>
            <numerusform>{count} problèmes doivent d’abord être corrigés.</numerusform>
        </translation>
    </message>
    <message>
        <source>A workspace can be set up here.</source>
        <translation>Un espace de travail peut être configuré ici.</translation>
    </message>
    <message>
        <source>A computer</source>
        <translation>Un ordinateur</translation>
    </message>
    <message>
        <source>Take off the list…</source>
        <translation>Retirer de la liste…</translation>
    </message>
    <message>
        <source>Code</source>
        <comment>invitation</comment>
        <translation>Code</translation>
    </message>
    <message>
        <source>Copy the code</source>
        <translation>Copier le code</translation>
    </message>
    <message>
        <source>Save as file…</source>
        <translation>Enregistrer en fichier…</translation>
    </message>
    <message>
        <source>The code is in the clipboard.</source>
        <translation>Le code est dans le presse-papiers.</translation>
    </message>
    <message>
        <source>The link is in the clipboard.</source>
        <translation>Le lien est dans le presse-papiers.</translation>
    </message>
    <message>
        <source>Save the invitation</source>
        <translation>Enregistrer l’invitation</translation>
    </message>
    <message>
        <source>Invitations (*{ending})</source>
        <translation>Invitations (*{ending})</translation>
    </message>
    <message>
        <source>Saved as {name}. Anyone who has the file can use it, so send it only to them.</source>
        <translation>Enregistré sous {name}. Quiconque a le fichier peut l’utiliser, ne l’envoyez donc qu’au destinataire.</translation>
    </message>
    <message>
        <source>Invite to “{workspace}”</source>
        <translation>Inviter dans «&#xa0;{workspace}&#xa0;»</translation>
    </message>
    <message>
        <source>{workspace} invitation</source>
        <translation>Invitation {workspace}</translation>
    </message>
    <message>
        <source>Who is invited</source>
        <translation>Qui est invité</translation>
    </message>
    <message>
        <source>Can be used for</source>
        <translation>Utilisable pendant</translation>
    </message>
    <message>
        <source>No project is shared yet, or you manage none. They can be given roles later, under Members.</source>
        <translation>Aucun projet n’est encore partagé, ou vous n’en gérez aucun. Les rôles peuvent être donnés plus tard, dans «&#xa0;Membres&#xa0;».</translation>
    </message>
    <message>
        <source>Make an invitation</source>
        <translation>Créer une invitation</translation>
    </message>
    <message>
        <source>Role in {name}</source>
        <translation>Rôle dans {name}</translation>
    </message>
    <message>
        <source>Their name; they can change it</source>
        <translation>Son nom&#xa0;; la personne peut le changer</translation>
    </message>
    <message>
        <source>Days for which the invitation can be used</source>
        <translation>Jours pendant lesquels l’invitation est utilisable</translation>
    </message>
    <message>
        <source> days</source>
        <translation> jours</translation>
    </message>
    <message>
        <source>Send this to {name} and nobody else: the first person who uses it takes that place. It works once, until {day}. They choose Join a workspace in Settings, Team sync.</source>
        <translation>Envoyez ceci à {name} et à personne d’autre&#xa0;: la première personne qui l’utilise prend cette place. L’invitation sert une fois, jusqu’au {day}. La personne choisit «&#xa0;Rejoindre un espace de travail&#xa0;» dans Paramètres, Synchronisation d’équipe.</translation>
    </message>
    <message>
        <source>Making the invitation…</source>
        <translation>Création de l’invitation…</translation>
    </message>
    <message>
        <source>Add a computer of mine</source>
        <translation>Ajouter un de mes ordinateurs</translation>
    </message>
    <message>
        <source>{workspace} my computer</source>
        <translation>Mon ordinateur {workspace}</translation>
    </message>
    <message>
        <source>Type this passphrase on the other computer</source>
        <translation>Saisissez cette phrase secrète sur l’autre ordinateur</translation>
    </message>
    <message>
        <source>Take the code or file to your other computer, choose Join a workspace there, and type the passphrase. It can be used until {day}. The code alone opens nothing; do not send both the same way.</source>
        <translation>Transférez le code ou le fichier sur votre autre ordinateur, choisissez-y «&#xa0;Rejoindre un espace de travail&#xa0;», et saisissez la phrase secrète. Utilisable jusqu’au {day}. Le code seul n’ouvre rien&#xa0;; n’envoyez pas les deux par la même voie.</translation>
    </message>
    <message>
        <source>Invitations (*{ending});;All files (*)</source>
        <translation>Invitations (*{ending});;Tous les fichiers (*)</translation>
    </message>
    <message>
        <source>Join a workspace</source>
        <translation>Rejoindre un espace de travail</translation>
    </message>
    <message>
        <source>Invitation</source>
        <translation>Invitation</translation>
    </message>
    <message>
        <source>Open file…</source>
        <translation>Ouvrir un fichier…</translation>
    </message>
    <message>
        <source>Join anyway: nothing is encrypted on the way</source>
        <translation>Rejoindre quand même&#xa0;: rien n’est chiffré sur le trajet</translation>
    </message>
    <message>
        <source>Paste the code or link that you were given, or open its file.</source>
        <translation>Collez le code ou le lien que vous avez reçu, ou ouvrez son fichier.</translation>
    </message>
    <message>
        <source>Passphrase that was shown beside the code</source>
        <translation>Phrase secrète affichée à côté du code</translation>
    </message>
    <message>
        <source>Join</source>
        <translation>Rejoindre</translation>
    </message>
    <message>
        <source>{name} cannot be read. Nothing was sent. Ask for the code as text.</source>
        <translation>{name} ne peut pas être lu. Rien n’a été envoyé. Demandez le code sous forme de texte.</translation>
    </message>
    <message>
        <source>Open an invitation</source>
        <translation>Ouvrir une invitation</translation>
    </message>
    <message>
        <source>Joining the workspace…</source>
        <translation>Connexion à l’espace de travail…</translation>
    </message>
    <message>
        <source>Adds this computer to “{workspace}”. You are the same member as on the computer that made the code.</source>
        <translation>Ajoute cet ordinateur à «&#xa0;{workspace}&#xa0;». Vous êtes le même membre que sur l’ordinateur qui a créé le code.</translation>
    </message>
    <message>
        <source>You are invited by {name} to “{workspace}”.</source>
        <translation>{name} vous invite dans «&#xa0;{workspace}&#xa0;».</translation>
    </message>
    <message>
        <source>You are invited to “{workspace}”.</source>
        <translation>Vous avez reçu une invitation pour «&#xa0;{workspace}&#xa0;».</translation>
    </message>
    <message>
        <source>The database is {address}.</source>
        <translation>Base de données&#xa0;: {address}.</translation>
    </message>
    <message>
        <source>Projects: {projects}.</source>
        <translation>Projets&#xa0;: {projects}.</translation>
    </message>
    <message>
        <source>It expired on {day}. Ask for a new one.</source>
        <translation>Expirée depuis le {day}. Demandez-en une nouvelle.</translation>
    </message>
    <message>
        <source>It can be used until {day}.</source>
        <translation>Utilisable jusqu’au {day}.</translation>
    </message>
    <message>
        <source>It can be used once, until {day}.</source>
        <translation>Utilisable une fois, jusqu’au {day}.</translation>
    </message>
    <message>
        <source>The way to this server is not encrypted: anyone on the way can read and change everything. That is fine for a server on this computer or a network that only you use.</source>
        <translation>La connexion à ce serveur n’est pas chiffrée&#xa0;: n’importe qui sur le trajet peut tout lire et modifier. C’est acceptable pour un serveur sur cet ordinateur ou sur un réseau réservé à votre usage.</translation>
    </message>
    <message>
        <source>This computer has no keyring that could keep the password. Keep it in ChatDesk&apos;s encrypted file of keys instead; you enter its passphrase once after each start.</source>
        <translation>Cet ordinateur n’a pas de trousseau qui pourrait garder le mot de passe. Gardez-le plutôt dans le fichier de clés chiffré de ChatDesk&#xa0;; vous saisirez sa phrase secrète une fois après chaque démarrage.</translation>
    </message>
    <message>
        <source>Keep it in the file</source>
        <translation>Le garder dans le fichier</translation>
    </message>
    <message>
        <source>The passphrase of the file of keys</source>
        <translation>La phrase secrète du fichier de clés</translation>
    </message>
    <message>
        <source>Leave “{workspace}”?</source>
        <translation>Quitter «&#xa0;{workspace}&#xa0;»&#xa0;?</translation>
    </message>
    <message>
        <source>Its projects stay on this computer, as private copies. Nothing is deleted here or there.</source>
        <translation>Ses projets restent sur cet ordinateur, comme copies privées. Rien n’est supprimé, ni ici ni là-bas.</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes did not reach the team yet and will stay only here.</source>
        <comment>{count} change did not reach the team yet and will stay only here.</comment>
        <translation>
            <numerusform>{count} modification n’est pas encore arrivée à l’équipe et ne restera qu’ici.</numerusform>
            <numerusform>{count} modifications ne sont pas encore arrivées à l’équipe et ne resteront qu’ici.</numerusform>
        </translation>
    </message>
    <message>
        <source>Only on this computer</source>
        <translation>Seulement sur cet ordinateur</translation>
    </message>
    <message>
        <source>For good: end my membership</source>
        <translation>Définitivement&#xa0;: ne plus être membre</translation>
    </message>
    <message>
        <source>You stay a member; a code from another computer of yours brings this one back.</source>
        <translation>Vous restez membre&#xa0;; un code créé sur un autre de vos ordinateurs permet de reconnecter celui-ci.</translation>
    </message>
    <message>
        <source>Leaving the workspace…</source>
        <translation>Départ de l’espace de travail…</translation>
    </message>
    <message>
        <source>Use</source>
        <translation>Utiliser</translation>
    </message>
    <message>
        <source>Password for “{workspace}”</source>
        <translation>Mot de passe pour «&#xa0;{workspace}&#xa0;»</translation>
    </message>
    <message>
        <source>ChatDesk made this password when you joined and keeps it with your keys. If it is lost, ask for a new invitation, or take a code from another computer of yours.</source>
        <translation>ChatDesk a créé ce mot de passe quand vous avez rejoint l’espace de travail et le garde avec vos clés. S’il est perdu, demandez une nouvelle invitation, ou prenez un code d’un autre de vos ordinateurs.</translation>
    </message>
    <message>
        <source>Trying the password…</source>
        <translation>Essai du mot de passe…</translation>
    </message>
    <message>
        <source>Rename the workspace</source>
        <translation>Renommer l’espace de travail</translation>
    </message>
    <message>
        <source>All members see the new name.</source>
        <translation>Tous les membres voient le nouveau nom.</translation>
    </message>
    <message>
        <source>Renaming the workspace…</source>
        <translation>Changement du nom de l’espace de travail…</translation>
    </message>
    <message>
        <source>On all of your computers. What you wrote stays with the team; to come back you need an invitation.</source>
        <translation>Sur tous vos ordinateurs. Ce que vous avez écrit reste à l’équipe&#xa0;; pour revenir, il vous faut une invitation.</translation>
    </message>
    <message>
        <source>Make somebody else an owner first.</source>
        <translation>Nommez d’abord un autre propriétaire.</translation>
    </message>
    <message>
        <source>Owners invite people, remove members and make others owners.</source>
        <translation>Les propriétaires invitent, retirent des membres et nomment d’autres propriétaires.</translation>
    </message>
    <message>
        <source>End their connections: for somebody whose unfinished change holds up the others</source>
        <translation>Couper ses connexions&#xa0;: pour quelqu’un dont la modification inachevée bloque les autres</translation>
    </message>
    <message>
        <source>Roles</source>
        <translation>Rôles</translation>
    </message>
    <message>
        <source>My name…</source>
        <translation>Mon nom…</translation>
    </message>
    <message>
        <source>Manage…</source>
        <translation>Gérer…</translation>
    </message>
    <message>
        <source>New password…</source>
        <translation>Nouveau mot de passe…</translation>
    </message>
    <message>
        <source>End their connections</source>
        <translation>Couper ses connexions</translation>
    </message>
    <message>
        <source>Remove from the workspace…</source>
        <translation>Retirer de l’espace de travail…</translation>
    </message>
    <message>
        <source>Change name</source>
        <translation>Changer le nom</translation>
    </message>
    <message>
        <source>Owner of the workspace</source>
        <translation>Propriétaire de l’espace de travail</translation>
    </message>
    <message>
        <source>Telling the server…</source>
        <translation>Transmission au serveur…</translation>
    </message>
    <message>
        <source>Changing your name…</source>
        <translation>Changement de votre nom…</translation>
    </message>
    <message>
        <source>{people} and {more} more</source>
        <translation>{people} et {more} de plus</translation>
    </message>
    <message>
        <source>{name} invited {people}. They are still members, with the roles they have. Remove them as well if they came for {name} only; what they wrote stays either way.</source>
        <translation>{name} a invité {people}. Ces personnes sont toujours membres, avec leurs rôles. Retirez-les aussi si elles ne sont venues que pour {name}&#xa0;; ce qu’elles ont écrit reste de toute façon.</translation>
    </message>
    <message>
        <source>{name} can no longer log in, from any computer, from this moment on. What they wrote stays with the team; what is on their computer already stays there. To have them back, invite them again.</source>
        <translation>Dès cet instant, {name} ne peut plus se connecter, depuis aucun ordinateur. Ce que cette personne a écrit reste à l’équipe&#xa0;; ce qui est déjà sur son ordinateur y reste. Pour la faire revenir, invitez-la à nouveau.</translation>
    </message>
    <message>
        <source>This computer gets a new password that nobody sees. Your other computers can no longer log in with the old one: add them again with Add a computer of mine. Nothing is deleted.</source>
        <translation>Cet ordinateur reçoit un nouveau mot de passe que personne ne voit. Vos autres ordinateurs ne peuvent plus se connecter avec l’ancien&#xa0;: ajoutez-les à nouveau avec «&#xa0;Ajouter un de mes ordinateurs&#xa0;». Rien n’est supprimé.</translation>
    </message>
    <message>
        <source>This profile was restored or repaired, or a copy of it is in use. ChatDesk does not connect to {address} until you say so; what waits here is sent then.</source>
        <translation>Ce profil a été restauré ou réparé, ou une copie en est utilisée. ChatDesk ne se connecte pas à {address} sans votre accord&#xa0;; ce qui attend ici sera alors envoyé.</translation>
    </message>
    <message>
        <source>Connect again</source>
        <translation>Se reconnecter</translation>
    </message>
    <message>
        <source>Give it up</source>
        <translation>Y renoncer</translation>
    </message>
    <message>
        <source>Give {name} up; its projects stay here as private copies</source>
        <translation>Renoncer à {name}&#xa0;; ses projets restent ici comme copies privées</translation>
    </message>
    <message>
        <source>Create another workspace…</source>
        <translation>Créer un autre espace de travail…</translation>
    </message>
    <message>
        <source>Join another workspace…</source>
        <translation>Rejoindre un autre espace de travail…</translation>
    </message>
    <message>
        <source>Work in the same projects with others, or on several computers of yours. Every computer keeps everything and works offline; a PostgreSQL database of yours carries the changes, and no server of ours is involved.</source>
        <translation>Travaillez dans les mêmes projets avec d’autres, ou sur plusieurs de vos ordinateurs. Chaque ordinateur conserve tout et fonctionne hors ligne&#xa0;; votre propre base de données PostgreSQL transporte les modifications, et aucun de nos serveurs n’intervient.</translation>
    </message>
    <message>
        <source>For a team that has none: sets up an empty database that you give, and makes you its owner.</source>
        <translation>Pour une équipe qui n’en a pas&#xa0;: configure une base de données vide que vous indiquez, et fait de vous son propriétaire.</translation>
    </message>
    <message>
        <source>Create a workspace…</source>
        <translation>Créer un espace de travail…</translation>
    </message>
    <message>
        <source>With an invitation: a code, a link or a file that somebody of the team, or another computer of yours, made. Nothing is sent before you have seen what it is.</source>
        <translation>Avec une invitation&#xa0;: un code, un lien ou un fichier créé par quelqu’un de l’équipe, ou par un autre de vos ordinateurs. Rien n’est envoyé avant que vous ayez vu ce que c’est.</translation>
    </message>
    <message>
        <source>Enter the password…</source>
        <translation>Saisir le mot de passe…</translation>
    </message>
    <message>
        <source>Details of syncing with {name}</source>
        <translation>Détails de la synchronisation avec {name}</translation>
    </message>
    <message>
        <source>{address}, joined {day}</source>
        <translation>{address}, rejoint le {day}</translation>
    </message>
    <message>
        <source>Shared projects</source>
        <translation>Projets partagés</translation>
    </message>
    <message>
        <source>Role and state</source>
        <translation>Rôle et état</translation>
    </message>
    <message>
        <source>Sharing…</source>
        <translation>Partage…</translation>
    </message>
    <message>
        <source>None yet. Open a project and choose Share… in its menu; only what you share leaves this computer.</source>
        <translation>Aucun encore. Ouvrez un projet et choisissez «&#xa0;Partager…&#xa0;» dans son menu&#xa0;; seul ce que vous partagez quitte cet ordinateur.</translation>
    </message>
    <message>
        <source>Members</source>
        <translation>Membres</translation>
    </message>
    <message>
        <source>Devices</source>
        <translation>Appareils</translation>
    </message>
    <message>
        <source>Computer</source>
        <translation>Ordinateur</translation>
    </message>
    <message>
        <source>About</source>
        <translation>Infos</translation>
    </message>
    <message>
        <source>somebody</source>
        <translation>quelqu’un</translation>
    </message>
    <message>
        <source>Add a computer of mine…</source>
        <translation>Ajouter un de mes ordinateurs…</translation>
    </message>
    <message>
        <source>Address…</source>
        <translation>Adresse…</translation>
    </message>
    <message>
        <source>Address of the server of {name}</source>
        <translation>Adresse du serveur de {name}</translation>
    </message>
    <message>
        <source>Leave…</source>
        <translation>Quitter…</translation>
    </message>
    <message>
        <source>Invite somebody to {name}</source>
        <translation>Inviter quelqu’un dans {name}</translation>
    </message>
    <message>
        <source>Rename…</source>
        <translation>Renommer…</translation>
    </message>
    <message>
        <source>That computer can no longer sync under this name; what is on it stays there. If it was lost, also make a new password under My name, and add your other computers again.</source>
        <translation>Cet ordinateur ne peut plus se synchroniser sous ce nom&#xa0;; ce qui s’y trouve y reste. S’il a été perdu, créez aussi un nouveau mot de passe dans «&#xa0;Mon nom&#xa0;», et ajoutez de nouveau vos autres ordinateurs.</translation>
    </message>
    <message>
        <source>A project that is not here yet</source>
        <translation>Un projet qui n’est pas encore ici</translation>
    </message>
    <message>
        <source>Share…</source>
        <translation>Partager…</translation>
    </message>
    <message>
        <source>Keep messages</source>
        <translation>Garder les messages</translation>
    </message>
    <message>
        <source>Older messages are erased for everybody, about once a day; that cannot be undone.</source>
        <translation>Les messages plus anciens sont effacés pour tous, environ une fois par jour&#xa0;; c’est irréversible.</translation>
    </message>
    <message>
        <source>Days for which messages are kept</source>
        <translation>Jours pendant lesquels les messages sont gardés</translation>
    </message>
    <message>
        <source>Set</source>
        <translation>Définir</translation>
    </message>
    <message>
        <source>Set how long messages are kept</source>
        <translation>Définir la durée de conservation des messages</translation>
    </message>
    <message>
        <source>Other…</source>
        <translation>Autre durée…</translation>
    </message>
    <message>
        <source>For ever</source>
        <translation>Pour toujours</translation>
    </message>
    <message numerus="yes">
        <source>For {count} days</source>
        <comment>For {count} day</comment>
        <translation>
            <numerusform>Pendant {count} jour</numerusform>
            <numerusform>Pendant {count} jours</numerusform>
        </translation>
    </message>
    <message>
        <source>Messages are kept for ever.</source>
        <translation>Les messages sont gardés pour toujours.</translation>
    </message>
    <message numerus="yes">
        <source>Messages are kept for {count} days.</source>
        <comment>Messages are kept for {count} day.</comment>
        <translation>
            <numerusform>Les messages sont gardés {count} jour.</numerusform>
            <numerusform>Les messages sont gardés {count} jours.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Messages that are older than {count} days are erased for everybody, now and from now on: from the server, and from each computer when it syncs next. This cannot be undone. Backups, private copies and what somebody copied elsewhere keep them.</source>
        <comment>Messages that are older than {count} day are erased for everybody, now and from now on: from the server, and from each computer when it syncs next. This cannot be undone. Backups, private copies and what somebody copied elsewhere keep them.</comment>
        <translation>
            <numerusform>Les messages de plus de {count} jour sont effacés pour tous, maintenant et désormais&#xa0;: du serveur, et de chaque ordinateur à sa prochaine synchronisation. C’est irréversible. Les sauvegardes, les copies privées et ce que quelqu’un a copié ailleurs les gardent.</numerusform>
            <numerusform>Les messages de plus de {count} jours sont effacés pour tous, maintenant et désormais&#xa0;: du serveur, et de chaque ordinateur à sa prochaine synchronisation. C’est irréversible. Les sauvegardes, les copies privées et ce que quelqu’un a copié ailleurs les gardent.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Keep messages of “{name}” for {count} days only?</source>
        <comment>Keep messages of “{name}” for {count} day only?</comment>
        <translation>
            <numerusform>Ne garder les messages de «&#xa0;{name}&#xa0;» que {count} jour&#xa0;?</numerusform>
            <numerusform>Ne garder les messages de «&#xa0;{name}&#xa0;» que {count} jours&#xa0;?</numerusform>
        </translation>
    </message>
    <message>
        <source>Erase what is older</source>
        <translation>Effacer ce qui est plus ancien</translation>
    </message>
    <message>
        <source>No access</source>
        <translation>Aucun accès</translation>
    </message>
    <message>
        <source>{role}: {rights}.</source>
        <translation>{role}&#xa0;: {rights}.</translation>
    </message>
    <message>
        <source>Role</source>
        <translation>Rôle</translation>
    </message>
    <message>
        <source>{what} and role</source>
        <translation>{what} et rôle</translation>
    </message>
    <message>
        <source>Where “{workspace}” is reached</source>
        <translation>Où joindre «&#xa0;{workspace}&#xa0;»</translation>
    </message>
    <message>
        <source>For a server that moved, or has another name now. ChatDesk first checks that this workspace is there. Your login stays; your other computers and the other members move for themselves.</source>
        <translation>Pour un serveur qui a changé d’adresse, ou qui a maintenant un autre nom. ChatDesk vérifie d’abord que cet espace de travail y est. Votre compte reste&#xa0;; vos autres ordinateurs et les autres membres font ce changement eux-mêmes.</translation>
    </message>
    <message>
        <source>Use this address</source>
        <translation>Utiliser cette adresse</translation>
    </message>
    <message>
        <source>Looking for the workspace…</source>
        <translation>Recherche de l’espace de travail…</translation>
    </message>
    <message>
        <source>Viewer</source>
        <translation>Lecteur</translation>
    </message>
    <message>
        <source>Editor</source>
        <translation>Rédacteur</translation>
    </message>
    <message>
        <source>Admin</source>
        <translation>Administrateur</translation>
    </message>
    <message>
        <source>Owner</source>
        <translation>Propriétaire</translation>
    </message>
    <message>
        <source>reads</source>
        <translation>lit</translation>
    </message>
    <message>
        <source>reads and writes, changes and deletes their own</source>
        <translation>lit et écrit, modifie et supprime ce qui lui appartient</translation>
    </message>
    <message>
        <source>changes and deletes everything, and manages members</source>
        <translation>modifie et supprime tout, et gère les membres</translation>
    </message>
    <message>
        <source>does everything, and may end the sharing for everybody</source>
        <translation>fait tout, et peut arrêter le partage pour tous</translation>
    </message>
    <message>
        <source>Only projects that you share leave this computer: their threads, messages, attachments and summaries. Keys, drafts, pins, the prompt library and everything else stay here.</source>
        <translation>Seuls les projets que vous partagez quittent cet ordinateur&#xa0;: leurs conversations, messages, pièces jointes et résumés. Les clés, les brouillons, les épingles, la bibliothèque de prompts et tout le reste restent ici.</translation>
    </message>
    <message>
        <source>What others have read, copied or exported, and private copies of those who leave. Threads and messages can be erased for everyone later, on the server and on each computer when it syncs; backups keep them until they are replaced. Stopping to share removes nothing from the server unless you choose to erase the project.</source>
        <translation>Ce que d’autres ont lu, copié ou exporté, et les copies privées de ceux qui partent. Les conversations et les messages peuvent être effacés pour tous plus tard, sur le serveur et sur chaque ordinateur à sa synchronisation&#xa0;; les sauvegardes les gardent jusqu’à leur remplacement. Arrêter le partage n’enlève rien du serveur, sauf si vous choisissez d’effacer le projet.</translation>
    </message>
    <message>
        <source>This version of ChatDesk brings a newer form of the team&apos;s database. Everyone can go on working with the present one until you upgrade it: &apos;chatdesk team upgrade&apos;.</source>
        <translation>Cette version de ChatDesk apporte une forme plus récente de la base de données de l’équipe. Chacun peut continuer à travailler avec l’actuelle jusqu’à ce que vous la mettiez à niveau&#xa0;: «&#xa0;chatdesk team upgrade&#xa0;».</translation>
    </message>
    <message>
        <source>Anyone who administers the database can read all that is shared, whatever roles people have.</source>
        <translation>Quiconque administre la base de données peut lire tout ce qui est partagé, quels que soient les rôles.</translation>
    </message>
    <message>
        <source>Shared with you again; choose Share… to send this copy</source>
        <translation>De nouveau partagé avec vous&#xa0;; choisissez «&#xa0;Partager…&#xa0;» pour envoyer cette copie</translation>
    </message>
    <message>
        <source>being sent</source>
        <translation>en cours d’envoi</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes refused</source>
        <comment>{count} change refused</comment>
        <translation>
            <numerusform>{count} modification refusée</numerusform>
            <numerusform>{count} modifications refusées</numerusform>
        </translation>
    </message>
    <message>
        <source>not in sync: what the server has does not fit</source>
        <translation>non synchronisé&#xa0;: les données du serveur ne concordent pas</translation>
    </message>
    <message numerus="yes">
        <source>{count} attachments ({size})</source>
        <comment>{count} attachment ({size})</comment>
        <translation>
            <numerusform>{count} pièce jointe ({size})</numerusform>
            <numerusform>{count} pièces jointes ({size})</numerusform>
        </translation>
    </message>
    <message>
        <source>{parts} are sent now; what is written later is sent by itself.</source>
        <translation>Sont envoyés maintenant&#xa0;: {parts}. Ce qui est écrit plus tard est envoyé automatiquement.</translation>
    </message>
    <message>
        <source>Removed; what they wrote stays</source>
        <translation>Personne retirée&#xa0;; ce qu’elle a écrit reste</translation>
    </message>
    <message>
        <source>you</source>
        <comment>beside a name</comment>
        <translation>vous</translation>
    </message>
    <message numerus="yes">
        <source>{count} connections of {name} were ended. The server dropped what was unfinished; their computer sends it again.</source>
        <comment>{count} connection of {name} was ended. The server dropped what was unfinished; their computer sends it again.</comment>
        <translation>
            <numerusform>{count} connexion de {name} a été coupée. Le serveur a abandonné ce qui était inachevé&#xa0;; son ordinateur le renvoie.</numerusform>
            <numerusform>{count} connexions de {name} ont été coupées. Le serveur a abandonné ce qui était inachevé&#xa0;; son ordinateur le renvoie.</numerusform>
        </translation>
    </message>
    <message>
        <source>you</source>
        <translation>vous</translation>
    </message>
    <message>
        <source>owner of the workspace</source>
        <translation>propriétaire de l’espace de travail</translation>
    </message>
    <message>
        <source>invited, has not joined yet</source>
        <translation>invitation pas encore acceptée</translation>
    </message>
    <message>
        <source>invited on {day}, has not joined yet</source>
        <translation>invitation du {day}, pas encore acceptée</translation>
    </message>
    <message>
        <source>in no project of yours</source>
        <translation>dans aucun de vos projets</translation>
    </message>
    <message>
        <source>this computer</source>
        <translation>cet ordinateur</translation>
    </message>
    <message>
        <source>never connected</source>
        <translation>jamais connecté</translation>
    </message>
    <message>
        <source>connected now</source>
        <translation>connecté maintenant</translation>
    </message>
    <message>
        <source>last connected {moment}</source>
        <translation>dernière connexion&#xa0;: {moment}</translation>
    </message>
    <message>
        <source>Nothing was new.</source>
        <translation>Rien de nouveau.</translation>
    </message>
    <message>
        <source>{sent} sent, {received} received.</source>
        <translation>Envoyées&#xa0;: {sent}, reçues&#xa0;: {received}.</translation>
    </message>
    <message>
        <source>{database} on {host}</source>
        <translation>{database} sur {host}</translation>
    </message>
    <message numerus="yes">
        <source>{count} people {name} invited were removed.</source>
        <comment>{count} person {name} invited was removed.</comment>
        <translation>
            <numerusform>{count} personne invitée par {name} a été retirée.</numerusform>
            <numerusform>{count} personnes invitées par {name} ont été retirées.</numerusform>
        </translation>
    </message>
    <message>
        <source>Everything in it stays on this computer as a private copy.</source>
        <translation>Tout ce qu’il contient reste sur cet ordinateur comme copie privée.</translation>
    </message>
    <message>
        <source>What you had not sent is in your own project.</source>
        <translation>Ce que vous n’aviez pas envoyé est dans votre propre projet.</translation>
    </message>
    <message>
        <source>shared, you can only read</source>
        <translation>partagé, vous pouvez seulement lire</translation>
    </message>
    <message>
        <source>shared</source>
        <translation>partagé</translation>
    </message>
    <message>
        <source>shared, you manage it</source>
        <translation>partagé, vous le gérez</translation>
    </message>
    <message>
        <source>shared by you</source>
        <translation>partagé par vous</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes in this thread were not taken by the team&apos;s server, so only you see them. Press the line below the threads to read why, to copy them out or to try again.</source>
        <comment>{count} change in this thread was not taken by the team&apos;s server, so only you see it. Press the line below the threads to read why, to copy it out or to try again.</comment>
        <translation>
            <numerusform>{count} modification de cette conversation n’a pas été acceptée par le serveur de l’équipe, elle n’est donc visible que par vous. Cliquez sur la ligne sous les conversations pour lire pourquoi, la copier ou réessayer.</numerusform>
            <numerusform>{count} modifications de cette conversation n’ont pas été acceptées par le serveur de l’équipe, elles ne sont donc visibles que par vous. Cliquez sur la ligne sous les conversations pour lire pourquoi, les copier ou réessayer.</numerusform>
        </translation>
    </message>
    <message>
        <source>“{name}” is open to you again. Nothing of it was sent, because you wrote in your own copy meanwhile: choose Share… in its menu, and that goes up too.</source>
        <translation>«&#xa0;{name}&#xa0;» vous est de nouveau ouvert. Rien n’en a été envoyé, car vous avez écrit entre-temps dans votre propre copie&#xa0;: choisissez «&#xa0;Partager…&#xa0;» dans son menu pour l’envoyer aussi.</translation>
    </message>
    <message>
        <source>You are no longer a member of “{workspace}”. Its projects stay on this computer with everything in them, and what you write there now waits here. To come back, ask its owner for a new invitation.</source>
        <translation>Vous n’êtes plus membre de «&#xa0;{workspace}&#xa0;». Ses projets restent sur cet ordinateur avec tout leur contenu, et ce que vous y écrivez attend désormais ici. Pour revenir, demandez une nouvelle invitation à son propriétaire.</translation>
    </message>
    <message>
        <source>“{workspace}”: {problem} {next_step} Nothing that you write is lost meanwhile.</source>
        <translation>«&#xa0;{workspace}&#xa0;»&#xa0;: {problem} {next_step} Rien de ce que vous écrivez entre-temps n’est perdu.</translation>
    </message>
    <message>
        <source>You can read this project; ask {name} to let you write.</source>
        <translation>Vous pouvez lire ce projet&#xa0;; demandez à {name} de vous laisser écrire.</translation>
    </message>
    <message>
        <source>You can read this project; ask its owner to let you write.</source>
        <translation>Vous pouvez lire ce projet&#xa0;; demandez à son propriétaire de vous laisser écrire.</translation>
    </message>
    <message>
        <source>Another member</source>
        <translation>Un autre membre</translation>
    </message>
    <message numerus="yes">
        <source>{first}, {second} and {count} others</source>
        <comment>{first}, {second} and {count} other</comment>
        <translation>
            <numerusform>{first}, {second} et {count} autre</numerusform>
            <numerusform>{first}, {second} et {count} autres</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{names} wrote {count} messages</source>
        <comment>{names} wrote a message</comment>
        <translation>
            <numerusform>Un message écrit par {names}</numerusform>
            <numerusform>{count} messages écrits par {names}</numerusform>
        </translation>
    </message>
    <message>
        <source>A project</source>
        <translation>Un projet</translation>
    </message>
    <message>
        <source>Paused: nothing is read or written in the folder. What you write waits on this computer.</source>
        <translation>En pause&#xa0;: rien n’est lu ni écrit dans le dossier. Ce que vous écrivez attend sur cet ordinateur.</translation>
    </message>
    <message>
        <source>This profile was restored, or a copy of it is in use, so it does not exchange anything. All chats are kept. Join again with the recovery phrase, or forget the folder.</source>
        <translation>Ce profil a été restauré, ou une copie en est utilisée, il n’échange donc rien. Toutes les discussions sont conservées. Revenez avec la phrase de récupération, ou oubliez le dossier.</translation>
    </message>
    <message>
        <source>Your chats are being written into the folder. Join it on your other computers.</source>
        <translation>Vos discussions sont en cours d’écriture dans le dossier. Rejoignez-le sur vos autres ordinateurs.</translation>
    </message>
    <message>
        <source>This computer has joined. What the others have comes in now.</source>
        <translation>Cet ordinateur a rejoint les autres. Ce qu’ils ont arrive maintenant.</translation>
    </message>
    <message>
        <source>Syncing.</source>
        <translation>Synchronisation.</translation>
    </message>
    <message>
        <source>Not everything is in the folder yet.</source>
        <translation>Tout n’est pas encore dans le dossier.</translation>
    </message>
    <message>
        <source>All chats stay here. The folder stays as it is, for your other computers; nobody can read it without the phrase, with which you can join again.</source>
        <translation>Toutes les discussions restent ici. Le dossier reste tel quel pour vos autres ordinateurs&#xa0;; personne ne peut le lire sans la phrase, avec laquelle vous pouvez revenir.</translation>
    </message>
    <message>
        <source>Forget the folder?</source>
        <translation>Oublier le dossier&#xa0;?</translation>
    </message>
    <message>
        <source>Forget it</source>
        <translation>L’oublier</translation>
    </message>
    <message>
        <source>This computer has left {folder}. All chats are kept.</source>
        <translation>Cet ordinateur a quitté {folder}. Toutes les discussions sont conservées.</translation>
    </message>
    <message>
        <source>Its chats and those of this computer are merged when you join; nothing is lost.</source>
        <translation>Ses discussions et celles de cet ordinateur sont fusionnées quand vous le rejoignez&#xa0;; rien n’est perdu.</translation>
    </message>
    <message>
        <source>The phrase is still shown here.</source>
        <translation>La phrase est encore affichée ici.</translation>
    </message>
    <message>
        <source>Choose another folder, or copy the phrase.</source>
        <translation>Choisissez un autre dossier, ou copiez la phrase.</translation>
    </message>
    <message>
        <source>Saved as {name}. Print it, or keep it where only you can read it.</source>
        <translation>Enregistrée sous {name}. Imprimez-la, ou gardez-la là où vous seul pouvez la lire.</translation>
    </message>
    <message>
        <source>Go on without them</source>
        <translation>Continuer sans elles</translation>
    </message>
    <message numerus="yes">
        <source>The text of {count} changes is in the clipboard.</source>
        <comment>The text of {count} change is in the clipboard.</comment>
        <translation>
            <numerusform>Le texte de {count} modification est dans le presse-papiers.</numerusform>
            <numerusform>Le texte de {count} modifications est dans le presse-papiers.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Forget {count} refused changes?</source>
        <comment>Forget {count} refused change?</comment>
        <translation>
            <numerusform>Oublier {count} modification refusée&#xa0;?</numerusform>
            <numerusform>Oublier {count} modifications refusées&#xa0;?</numerusform>
        </translation>
    </message>
    <message>
        <source>What the server refused is no longer shown and cannot be sent again. Copy the text first if you need it.</source>
        <translation>Ce que le serveur a refusé n’est plus affiché et ne peut plus être renvoyé. Copiez d’abord le texte si vous en avez besoin.</translation>
    </message>
    <message>
        <source>Sync is off</source>
        <translation>Synchronisation désactivée</translation>
    </message>
    <message>
        <source>Sync is off.</source>
        <translation>La synchronisation est désactivée.</translation>
    </message>
    <message>
        <source>Synced</source>
        <translation>Synchronisé</translation>
    </message>
    <message>
        <source>Synced.</source>
        <translation>Synchronisé.</translation>
    </message>
    <message>
        <source>Syncing…</source>
        <translation>Synchronisation…</translation>
    </message>
    <message>
        <source>Connecting…</source>
        <translation>Connexion…</translation>
    </message>
    <message>
        <source>Connecting.</source>
        <translation>Connexion.</translation>
    </message>
    <message>
        <source>Offline echo</source>
        <translation>Écho hors ligne</translation>
    </message>
    <message>
        <source>the offline model</source>
        <translation>Démo hors ligne</translation>
    </message>
    <message>
        <source>The offline model</source>
        <translation>Le modèle hors ligne</translation>
    </message>
    <message>
        <source>Offline</source>
        <translation>Hors ligne</translation>
    </message>
    <message>
        <source>The offline model pretends to be busy.</source>
        <translation>Le modèle hors ligne fait semblant d’être occupé.</translation>
    </message>
    <message>
        <source>Offline: the team&apos;s database cannot be reached.</source>
        <translation>Hors ligne&#xa0;: la base de données de l’équipe est injoignable.</translation>
    </message>
    <message>
        <source>Update ChatDesk to send</source>
        <translation>Mettez ChatDesk à jour pour envoyer</translation>
    </message>
    <message>
        <source>This ChatDesk is too old to send changes; it still receives those of others.</source>
        <translation>Ce ChatDesk est trop ancien pour envoyer des modifications&#xa0;; il reçoit encore celles des autres.</translation>
    </message>
    <message>
        <source>Refused by the team&apos;s server</source>
        <translation>Refusé par le serveur de l’équipe</translation>
    </message>
    <message>
        <source>The team&apos;s database did not let this computer in.</source>
        <translation>La base de données de l’équipe a refusé l’accès à cet ordinateur.</translation>
    </message>
    <message>
        <source>Synced at {moment}.</source>
        <translation>Synchronisé&#xa0;: {moment}.</translation>
    </message>
    <message>
        <source>Syncing {done} of {total}.</source>
        <translation>Synchronisation&#xa0;: {done} sur {total}.</translation>
    </message>
    <message>
        <source>Synced last at {moment}.</source>
        <translation>Dernière synchronisation&#xa0;: {moment}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes were refused.</source>
        <comment>{count} change was refused.</comment>
        <translation>
            <numerusform>{count} modification a été refusée.</numerusform>
            <numerusform>{count} modifications ont été refusées.</numerusform>
        </translation>
    </message>
    <message>
        <source>The next try is at {moment}.</source>
        <translation>Prochain essai&#xa0;: {moment}.</translation>
    </message>
    <message>
        <source>never</source>
        <translation>jamais</translation>
    </message>
    <message>
        <source>Syncing {done} of {total}</source>
        <translation>Synchronisation&#xa0;: {done} sur {total}</translation>
    </message>
    <message>
        <source>Synced {time}</source>
        <translation>Synchronisé&#xa0;: {time}</translation>
    </message>
    <message>
        <source>Refused: {problem}</source>
        <translation>Refusé&#xa0;: {problem}</translation>
    </message>
    <message numerus="yes">
        <source>Sending {count} changes</source>
        <comment>Sending {count} change</comment>
        <translation>
            <numerusform>Envoi de {count} modification</numerusform>
            <numerusform>Envoi de {count} modifications</numerusform>
        </translation>
    </message>
    <message>
        <source>{words}.</source>
        <translation>{words}.</translation>
    </message>
    <message>
        <source>Change how the project is shared…</source>
        <translation>Modifier le partage du projet…</translation>
    </message>
    <message>
        <source>Share project…</source>
        <translation>Partager le projet…</translation>
    </message>
    <message>
        <source>The others see you as {name} from the next sync on.</source>
        <translation>Les autres vous voient comme {name} dès la prochaine synchronisation.</translation>
    </message>
    <message>
        <source>{name} was removed, and can no longer log in.</source>
        <translation>{name} n’est plus membre, et ne peut plus se connecter.</translation>
    </message>
    <message>
        <source>Remove {name} from the workspace?</source>
        <translation>Retirer {name} de l’espace de travail&#xa0;?</translation>
    </message>
    <message>
        <source>Removing the member…</source>
        <translation>Retrait du membre…</translation>
    </message>
    <message>
        <source>Remove the people {name} invited?</source>
        <translation>Retirer les personnes que {name} a invitées&#xa0;?</translation>
    </message>
    <message>
        <source>Remove them</source>
        <translation>Les retirer</translation>
    </message>
    <message>
        <source>This computer has a new password. Add your other computers again.</source>
        <translation>Cet ordinateur a un nouveau mot de passe. Ajoutez à nouveau vos autres ordinateurs.</translation>
    </message>
    <message>
        <source>Make a new password?</source>
        <translation>Créer un nouveau mot de passe&#xa0;?</translation>
    </message>
    <message>
        <source>New password</source>
        <translation>Nouveau mot de passe</translation>
    </message>
    <message>
        <source>Changing the password…</source>
        <translation>Changement du mot de passe…</translation>
    </message>
    <message>
        <source>Taking the computer off the list…</source>
        <translation>Retrait de l’ordinateur de la liste…</translation>
    </message>
    <message>
        <source>{name} is off the list.</source>
        <translation>{name} n’est plus dans la liste.</translation>
    </message>
    <message>
        <source>Take {name} off the list?</source>
        <translation>Retirer {name} de la liste&#xa0;?</translation>
    </message>
    <message>
        <source>Take off</source>
        <translation>Retirer de la liste</translation>
    </message>
    <message>
        <source>The workspace is called “{name}” now.</source>
        <translation>L’espace de travail s’appelle maintenant «&#xa0;{name}&#xa0;».</translation>
    </message>
    <message>
        <source>You left “{name}”. Its projects are private copies now.</source>
        <translation>Vous avez quitté «&#xa0;{name}&#xa0;». Ses projets sont maintenant des copies privées.</translation>
    </message>
    <message>
        <source>You are in “{name}” again.</source>
        <translation>Vous êtes à nouveau dans «&#xa0;{name}&#xa0;».</translation>
    </message>
    <message>
        <source>You left the workspace. Its projects are private copies now.</source>
        <translation>Vous avez quitté l’espace de travail. Ses projets sont maintenant des copies privées.</translation>
    </message>
    <message>
        <source>This computer is in no workspace.</source>
        <translation>Cet ordinateur n’est dans aucun espace de travail.</translation>
    </message>
    <message>
        <source>Create or join one in Settings, Team sync.</source>
        <translation>Créez-en un ou rejoignez-en un dans Paramètres, Synchronisation d’équipe.</translation>
    </message>
    <message>
        <source>The file could not be written: {why}.</source>
        <translation>Le fichier n’a pas pu être écrit&#xa0;: {why}.</translation>
    </message>
    <message>
        <source>Operation not permitted</source>
        <translation>Opération non permise</translation>
    </message>
    <message>
        <source>No such file or directory</source>
        <translation>Fichier ou dossier introuvable</translation>
    </message>
    <message>
        <source>Input/output error</source>
        <translation>Erreur d’entrée/sortie</translation>
    </message>
    <message>
        <source>Cannot allocate memory</source>
        <translation>Mémoire insuffisante</translation>
    </message>
    <message>
        <source>Permission denied</source>
        <translation>Accès refusé</translation>
    </message>
    <message>
        <source>Device or resource busy</source>
        <translation>Périphérique ou ressource occupé</translation>
    </message>
    <message>
        <source>File exists</source>
        <translation>Le fichier existe déjà</translation>
    </message>
    <message>
        <source>Not a directory</source>
        <translation>N’est pas un dossier</translation>
    </message>
    <message>
        <source>Is a directory</source>
        <translation>Est un dossier</translation>
    </message>
    <message>
        <source>Invalid argument</source>
        <translation>Argument non valide</translation>
    </message>
    <message>
        <source>Too many open files</source>
        <translation>Trop de fichiers ouverts</translation>
    </message>
    <message>
        <source>File too large</source>
        <translation>Fichier trop volumineux</translation>
    </message>
    <message>
        <source>No space left on device</source>
        <translation>Plus d’espace disponible</translation>
    </message>
    <message>
        <source>Read-only file system</source>
        <translation>Système de fichiers en lecture seule</translation>
    </message>
    <message>
        <source>Broken pipe</source>
        <translation>Tube rompu</translation>
    </message>
    <message>
        <source>File name too long</source>
        <translation>Nom de fichier trop long</translation>
    </message>
    <message>
        <source>Directory not empty</source>
        <translation>Dossier non vide</translation>
    </message>
    <message>
        <source>Too many levels of symbolic links</source>
        <translation>Trop de liens symboliques successifs</translation>
    </message>
    <message>
        <source>Disk quota exceeded</source>
        <translation>Quota de disque dépassé</translation>
    </message>
    <message>
        <source>Address already in use</source>
        <translation>Adresse déjà utilisée</translation>
    </message>
    <message>
        <source>Cannot assign requested address</source>
        <translation>Impossible d’attribuer l’adresse</translation>
    </message>
    <message>
        <source>Network is unreachable</source>
        <translation>Réseau inaccessible</translation>
    </message>
    <message>
        <source>No route to host</source>
        <translation>Aucune route vers l’hôte</translation>
    </message>
    <message>
        <source>Connection refused</source>
        <translation>Connexion refusée</translation>
    </message>
    <message>
        <source>Connection reset by peer</source>
        <translation>Connexion fermée par le correspondant</translation>
    </message>
    <message>
        <source>Connection timed out</source>
        <translation>Délai de connexion dépassé</translation>
    </message>
    <message>
        <source>the system refused</source>
        <translation>le système a refusé</translation>
    </message>
    <message>
        <source>The code is still shown here.</source>
        <translation>Le code est toujours affiché ici.</translation>
    </message>
    <message>
        <source>Choose another folder, or copy the code.</source>
        <translation>Choisissez un autre dossier, ou copiez le code.</translation>
    </message>
    <message>
        <source>The workspace “{name}” is ready.</source>
        <translation>L’espace de travail «&#xa0;{name}&#xa0;» est prêt.</translation>
    </message>
    <message>
        <source>You are in “{name}”.</source>
        <translation>Vous êtes dans «&#xa0;{name}&#xa0;».</translation>
    </message>
    <message>
        <source>{name} cannot be read as an invitation.</source>
        <translation>{name} ne peut pas être lu comme invitation.</translation>
    </message>
    <message>
        <source>Ask for the code as text.</source>
        <translation>Demandez le code sous forme de texte.</translation>
    </message>
    <message>
        <source>You are in “{name}” as {member}. What is shared with you comes in now.</source>
        <translation>Vous êtes dans «&#xa0;{name}&#xa0;» sous le nom de {member}. Ce qui est partagé avec vous arrive maintenant.</translation>
    </message>
    <message>
        <source>Opening the file of keys…</source>
        <translation>Ouverture du fichier de clés…</translation>
    </message>
    <message>
        <source>“{name}” and {more} more of “{workspace}” have arrived.</source>
        <translation>«&#xa0;{name}&#xa0;» et {more} de plus de «&#xa0;{workspace}&#xa0;» sont arrivés.</translation>
    </message>
    <message>
        <source>“{name}” of “{workspace}” has arrived.</source>
        <translation>«&#xa0;{name}&#xa0;» de «&#xa0;{workspace}&#xa0;» est arrivé.</translation>
    </message>
    <message>
        <source>This computer now uses {address} for “{name}”.</source>
        <translation>Cet ordinateur utilise désormais {address} pour «&#xa0;{name}&#xa0;».</translation>
    </message>
    <message>
        <source>To share a project, create a workspace or join one first.</source>
        <translation>Pour partager un projet, créez ou rejoignez d’abord un espace de travail.</translation>
    </message>
    <message>
        <source>“{name}” is shared. The line below the threads shows how much has been sent.</source>
        <translation>«&#xa0;{name}&#xa0;» est partagé. La ligne sous les conversations indique ce qui est déjà envoyé.</translation>
    </message>
    <message>
        <source>That project is no longer shared.</source>
        <translation>Ce projet n’est plus partagé.</translation>
    </message>
    <message>
        <source>“{name}” is a private project on this computer now.</source>
        <translation>«&#xa0;{name}&#xa0;» est maintenant un projet privé sur cet ordinateur.</translation>
    </message>
    <message>
        <source>Try again in a while.</source>
        <translation>Réessayez dans un moment.</translation>
    </message>
    <message>
        <source>This is nested too deeply.</source>
        <translation>L’imbrication est trop profonde.</translation>
    </message>
    <message>
        <source>This is not valid JSON in line {number}.</source>
        <translation>Ce n’est pas du JSON valide à la ligne {number}.</translation>
    </message>
    <message>
        <source>This is not valid JSON.</source>
        <translation>Ce n’est pas du JSON valide.</translation>
    </message>
    <message>
        <source>Arguments are a JSON object: { … }.</source>
        <translation>Les arguments sont un objet JSON&#xa0;: { … }.</translation>
    </message>
    <message>
        <source>1 of {count}</source>
        <translation>1 sur {count}</translation>
    </message>
    <message>
        <source>Review proposed changes</source>
        <translation>Examiner les changements proposés</translation>
    </message>
    <message>
        <source>Review the proposed change</source>
        <translation>Examiner le changement proposé</translation>
    </message>
    <message>
        <source>File</source>
        <translation>Fichier</translation>
    </message>
    <message>
        <source>Reject</source>
        <translation>Rejeter</translation>
    </message>
    <message>
        <source>Apply</source>
        <translation>Appliquer</translation>
    </message>
    <message numerus="yes">
        <source>{count} lines added, {removed} removed</source>
        <comment>{count} line added, {removed} removed</comment>
        <translation>
            <numerusform>{count} ligne ajoutée, {removed} supprimées</numerusform>
            <numerusform>{count} lignes ajoutées, {removed} supprimées</numerusform>
        </translation>
    </message>
    <message>
        <source>This text has characters that hide, so it is edited in an editor.</source>
        <translation>Ce texte contient des caractères cachés&#xa0;; modifiez-le dans un éditeur.</translation>
    </message>
    <message>
        <source>Difference</source>
        <translation>Différence</translation>
    </message>
    <message>
        <source>Applied: {path}</source>
        <translation>Appliqué&#xa0;: {path}</translation>
    </message>
    <message>
        <source>Rejected: {path}</source>
        <translation>Rejeté&#xa0;: {path}</translation>
    </message>
    <message>
        <source>Undone: {path}</source>
        <translation>Annulé&#xa0;: {path}</translation>
    </message>
    <message>
        <source>change a file</source>
        <translation>modifier un fichier</translation>
    </message>
    <message>
        <source>This change was not proposed on this computer.</source>
        <translation>Ce changement n’a pas été proposé sur cet ordinateur.</translation>
    </message>
    <message>
        <source>This change is not applied.</source>
        <translation>Ce changement n’est pas appliqué.</translation>
    </message>
    <message>
        <source>This change is already applied.</source>
        <translation>Ce changement est déjà appliqué.</translation>
    </message>
    <message>
        <source>This change was rejected.</source>
        <translation>Ce changement a été rejeté.</translation>
    </message>
    <message>
        <source>The file is no longer the one that this change was made from.</source>
        <translation>Le fichier n’est plus celui à partir duquel ce changement a été fait.</translation>
    </message>
    <message>
        <source>The file was changed after this change was applied.</source>
        <translation>Le fichier a été modifié après l’application de ce changement.</translation>
    </message>
    <message>
        <source>The project has no folder on this computer, or another one by now.</source>
        <translation>Le projet n’a pas de dossier sur cet ordinateur, ou en a un autre à présent.</translation>
    </message>
    <message>
        <source>This change was not proposed on this computer, or too long ago.</source>
        <translation>Ce changement n’a pas été proposé sur cet ordinateur, ou il y a trop longtemps.</translation>
    </message>
    <message>
        <source>Name a file.</source>
        <translation>Indiquez un fichier.</translation>
    </message>
    <message>
        <source>This change is too large to review, or has lines that are too long.</source>
        <translation>Ce changement est trop grand pour être relu, ou a des lignes trop longues.</translation>
    </message>
    <message>
        <source>Propose it in smaller steps.</source>
        <translation>Proposez-le en étapes plus petites.</translation>
    </message>
    <message>
        <source>The change could not be kept: {reason}.</source>
        <translation>Le changement n’a pas pu être conservé&#xa0;: {reason}.</translation>
    </message>
    <message>
        <source>No file was changed.</source>
        <translation>Aucun fichier n’a été modifié.</translation>
    </message>
    <message>
        <source>The file has this text already.</source>
        <translation>Le fichier contient déjà ce texte.</translation>
    </message>
    <message>
        <source>The files that are kept of this change cannot be read or written.</source>
        <translation>Les fichiers conservés de ce changement ne peuvent être ni lus ni écrits.</translation>
    </message>
    <message>
        <source>Ask the model to propose it again.</source>
        <translation>Demandez au modèle de le proposer de nouveau.</translation>
    </message>
    <message>
        <source>Ask the model to propose it here.</source>
        <translation>Demandez au modèle de le proposer ici.</translation>
    </message>
    <message numerus="yes">
        <source>{count} tool servers</source>
        <comment>{count} tool server</comment>
        <translation>
            <numerusform>{count} serveur d’outils</numerusform>
            <numerusform>{count} serveurs d’outils</numerusform>
        </translation>
    </message>
    <message>
        <source>Tools in this thread: {names}</source>
        <translation>Outils de cette conversation&#xa0;: {names}</translation>
    </message>
    <message>
        <source>Folder: {folder}</source>
        <translation>Dossier&#xa0;: {folder}</translation>
    </message>
    <message>
        <source>As in the project</source>
        <translation>Comme dans le projet</translation>
    </message>
    <message>
        <source>Use these in the whole project</source>
        <translation>Utiliser ceux-ci dans tout le projet</translation>
    </message>
    <message>
        <source>Tool servers…</source>
        <translation>Serveurs d’outils…</translation>
    </message>
    <message>
        <source>{name} of {server} waits for your approval: Ctrl+Shift+Y.</source>
        <translation>{name} de {server} attend votre accord&#xa0;: Ctrl+Maj+Y.</translation>
    </message>
    <message>
        <source>{name} waits for your approval in another thread.</source>
        <translation>{name} attend votre accord dans une autre conversation.</translation>
    </message>
    <message>
        <source>Allow in this project</source>
        <translation>Autoriser dans ce projet</translation>
    </message>
    <message>
        <source>Always allow</source>
        <translation>Toujours autoriser</translation>
    </message>
    <message>
        <source>Allow in this thread</source>
        <translation>Autoriser dans cette conversation</translation>
    </message>
    <message>
        <source>Allow in this thread, it only reads</source>
        <translation>Autoriser dans cette conversation (lecture seule)</translation>
    </message>
    <message>
        <source>Allow in this project, it only reads</source>
        <translation>Autoriser dans ce projet (lecture seule)</translation>
    </message>
    <message>
        <source>Always allow, it only reads</source>
        <translation>Toujours autoriser (lecture seule)</translation>
    </message>
    <message>
        <source>Deny</source>
        <translation>Refuser</translation>
    </message>
    <message>
        <source>Allow once</source>
        <translation>Autoriser une fois</translation>
    </message>
    <message>
        <source>Allow for longer…</source>
        <translation>Autoriser plus longtemps…</translation>
    </message>
    <message>
        <source>You say that it changes and sends nothing, so it also runs after text from outside.</source>
        <translation>Vous affirmez qu’il ne modifie et n’envoie rien, il s’exécute donc aussi après du texte venu de l’extérieur.</translation>
    </message>
    <message>
        <source>Run “{name}” of {server}?</source>
        <translation>Exécuter «&#xa0;{name}&#xa0;» de {server}&#xa0;?</translation>
    </message>
    <message>
        <source>{what}?</source>
        <translation>{what}&#xa0;?</translation>
    </message>
    <message>
        <source>Arguments of {name}</source>
        <translation>Arguments de {name}</translation>
    </message>
    <message numerus="yes">
        <source>{count} more characters are not shown, but would be sent.</source>
        <comment>{count} more character is not shown, but would be sent.</comment>
        <translation>
            <numerusform>{count} caractère supplémentaire n’est pas affiché, mais serait envoyé.</numerusform>
            <numerusform>{count} caractères supplémentaires ne sont pas affichés, mais seraient envoyés.</numerusform>
        </translation>
    </message>
    <message>
        <source>Deny: {name} of {server}</source>
        <translation>Refuser&#xa0;: {name} de {server}</translation>
    </message>
    <message>
        <source>Allow once: {name} of {server}</source>
        <translation>Autoriser une fois&#xa0;: {name} de {server}</translation>
    </message>
    <message>
        <source>ChatDesk runs this itself. What it finds goes to the model that answers.</source>
        <translation>ChatDesk l’exécute lui-même. Ce qu’il trouve va au modèle qui répond.</translation>
    </message>
    <message>
        <source>These arguments are sent to {where}</source>
        <translation>Ces arguments sont envoyés à {where}</translation>
    </message>
    <message>
        <source>These arguments are given to a program on this computer: {where}</source>
        <translation>Ces arguments sont transmis à un programme de cet ordinateur&#xa0;: {where}</translation>
    </message>
    <message>
        <source>{server} asks you for something: Ctrl+Shift+Y.</source>
        <translation>{server} vous demande quelque chose&#xa0;: Ctrl+Maj+Y.</translation>
    </message>
    <message>
        <source>{server} asks you for something in another thread.</source>
        <translation>{server} vous demande quelque chose dans une autre conversation.</translation>
    </message>
    <message>
        <source>User</source>
        <comment>role</comment>
        <translation>Utilisateur</translation>
    </message>
    <message>
        <source>Decline</source>
        <translation>Décliner</translation>
    </message>
    <message>
        <source>{server} asks you for something</source>
        <translation>{server} vous demande quelque chose</translation>
    </message>
    <message>
        <source>{server} wants you to open a page</source>
        <translation>{server} veut que vous ouvriez une page</translation>
    </message>
    <message>
        <source>Open in browser</source>
        <translation>Ouvrir dans le navigateur</translation>
    </message>
    <message>
        <source>{server} wants to ask {model}</source>
        <translation>{server} veut interroger {model}</translation>
    </message>
    <message>
        <source>The whole question</source>
        <translation>Toute la question</translation>
    </message>
    <message numerus="yes">
        <source>{names} look like secrets. {server} gets what you enter, as you enter it.</source>
        <comment>{names} looks like a secret. {server} gets what you enter, as you enter it.</comment>
        <translation>
            <numerusform>{names} ressemble à un secret. {server} reçoit ce que vous saisissez, tel quel.</numerusform>
            <numerusform>{names} ressemblent à des secrets. {server} reçoit ce que vous saisissez, tel quel.</numerusform>
        </translation>
    </message>
    <message>
        <source>The server asks while “{tool}” runs.</source>
        <translation>Le serveur le demande pendant que «&#xa0;{tool}&#xa0;» s’exécute.</translation>
    </message>
    <message>
        <source>The server chose this page: check the address before you enter anything there.</source>
        <translation>Le serveur a choisi cette page&#xa0;: vérifiez l’adresse avant d’y saisir quoi que ce soit.</translation>
    </message>
    <message numerus="yes">
        <source>This costs you at most {count} tokens and counts towards your limits.</source>
        <comment>This costs you at most {count} token and counts towards your limits.</comment>
        <translation>
            <numerusform>Cela vous coûte au plus {count} token et compte dans vos limites.</numerusform>
            <numerusform>Cela vous coûte au plus {count} tokens et compte dans vos limites.</numerusform>
        </translation>
    </message>
    <message>
        <source>The answer is sent to {where}</source>
        <translation>La réponse est envoyée à {where}</translation>
    </message>
    <message>
        <source>The answer is given to a program on this computer: {where}</source>
        <translation>La réponse est transmise à un programme de cet ordinateur&#xa0;: {where}</translation>
    </message>
    <message>
        <source>What you enter is sent to {where}</source>
        <translation>Ce que vous saisissez est envoyé à {where}</translation>
    </message>
    <message>
        <source>What you enter is given to a program on this computer: {where}</source>
        <translation>Ce que vous saisissez est transmis à un programme de cet ordinateur&#xa0;: {where}</translation>
    </message>
    <message>
        <source>None: models only read pages</source>
        <translation>Aucun&#xa0;: les modèles lisent seulement des pages</translation>
    </message>
    <message>
        <source>A server that asks other search engines: yours, or one whose owner lets programs search.</source>
        <translation>Un serveur qui interroge d’autres moteurs de recherche&#xa0;: le vôtre, ou un autre dont le propriétaire autorise les recherches des programmes.</translation>
    </message>
    <message>
        <source>A service. What is searched for goes there, with your key.</source>
        <translation>Un service. Les recherches y sont envoyées, avec votre clé.</translation>
    </message>
    <message>
        <source>Web search</source>
        <translation>Recherche web</translation>
    </message>
    <message>
        <source>Search engine</source>
        <translation>Moteur de recherche</translation>
    </message>
    <message>
        <source>Address of SearXNG</source>
        <translation>Adresse de SearXNG</translation>
    </message>
    <message>
        <source>{address} or {other}</source>
        <translation>{address} ou {other}</translation>
    </message>
    <message>
        <source>Test the search engine</source>
        <translation>Tester le moteur de recherche</translation>
    </message>
    <message>
        <source>A key is kept; type another to replace it</source>
        <translation>Une clé est conservée&#xa0;; saisissez-en une autre pour la remplacer</translation>
    </message>
    <message>
        <source>A key is kept. Type another to replace it.</source>
        <translation>Une clé est conservée. Saisissez-en une autre pour la remplacer.</translation>
    </message>
    <message>
        <source>Testing…</source>
        <translation>Test…</translation>
    </message>
    <message>
        <source>Saving…</source>
        <translation>Enregistrement…</translation>
    </message>
    <message>
        <source>Comes with ChatDesk. No search engine is chosen: models can only read pages.</source>
        <translation>Fourni avec ChatDesk. Aucun moteur de recherche n’est choisi&#xa0;: les modèles ne peuvent que lire des pages.</translation>
    </message>
    <message>
        <source>Comes with ChatDesk. Searches with {engine} at {host}.</source>
        <translation>Fourni avec ChatDesk. Recherche avec {engine} sur {host}.</translation>
    </message>
    <message>
        <source>Comes with ChatDesk. Searches with {engine}.</source>
        <translation>Fourni avec ChatDesk. Recherche avec {engine}.</translation>
    </message>
    <message>
        <source>The program gets only these variables, the PATH and the places of your files. Secrets are kept with your keys.</source>
        <translation>Le programme ne reçoit que ces variables, le PATH et l’emplacement de vos fichiers. Les secrets sont gardés avec vos clés.</translation>
    </message>
    <message>
        <source>Add a tool server</source>
        <translation>Ajouter un serveur d’outils</translation>
    </message>
    <message>
        <source>Edit the tool server</source>
        <translation>Modifier le serveur d’outils</translation>
    </message>
    <message>
        <source>For example: Notes</source>
        <translation>Par exemple&#xa0;: Notes</translation>
    </message>
    <message>
        <source>Command or address</source>
        <translation>Commande ou adresse</translation>
    </message>
    <message>
        <source>Variables or headers</source>
        <translation>Variables ou en-têtes</translation>
    </message>
    <message>
        <source>Folder it runs in</source>
        <translation>Dossier d’exécution</translation>
    </message>
    <message>
        <source>An empty folder of its own</source>
        <translation>Un dossier vide qui lui est propre</translation>
    </message>
    <message>
        <source>Client ID</source>
        <translation>ID client</translation>
    </message>
    <message>
        <source>Empty: ChatDesk registers itself</source>
        <translation>Vide&#xa0;: ChatDesk s’enregistre lui-même</translation>
    </message>
    <message>
        <source>Client secret</source>
        <translation>Secret client</translation>
    </message>
    <message>
        <source>Empty: none</source>
        <translation>Vide&#xa0;: aucun</translation>
    </message>
    <message>
        <source>Unchanged</source>
        <translation>Inchangé</translation>
    </message>
    <message>
        <source>You can also paste the JSON of Claude Desktop, Cursor, VS Code or LM Studio here.</source>
        <translation>Vous pouvez aussi coller ici le JSON de Claude Desktop, Cursor, VS Code ou LM Studio.</translation>
    </message>
    <message>
        <source>Variables, or headers of an address, a line each</source>
        <translation>Variables, ou en-têtes d’une adresse, un par ligne</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>Dossier</translation>
    </message>
    <message>
        <source>File of the project</source>
        <translation>Fichier du projet</translation>
    </message>
    <message>
        <source>Client ID, if you registered one to sign in with</source>
        <translation>ID client, si vous en avez enregistré un pour vous connecter</translation>
    </message>
    <message>
        <source>Filled in from the description of “{name}”.</source>
        <translation>Rempli d’après la description de «&#xa0;{name}&#xa0;».</translation>
    </message>
    <message>
        <source>Still to be filled in: {missing}.</source>
        <translation>Encore à remplir&#xa0;: {missing}.</translation>
    </message>
    <message numerus="yes">
        <source>Once it is saved, {count} more servers follow.</source>
        <comment>Once it is saved, {count} more server follows.</comment>
        <translation>
            <numerusform>Une fois celui-ci enregistré, {count} autre serveur suit.</numerusform>
            <numerusform>Une fois celui-ci enregistré, {count} autres serveurs suivent.</numerusform>
        </translation>
    </message>
    <message>
        <source>Give it a name.</source>
        <translation>Donnez-lui un nom.</translation>
    </message>
    <message>
        <source>Enter the command that starts it, or its address.</source>
        <translation>Saisissez la commande qui le démarre, ou son adresse.</translation>
    </message>
    <message>
        <source>A quotation mark of the command is not closed.</source>
        <translation>Un guillemet de la commande n’est pas fermé.</translation>
    </message>
    <message>
        <source>Write each line as NAME=value, not “{line}”.</source>
        <translation>Écrivez chaque ligne comme NAME=value, et non «&#xa0;{line}&#xa0;».</translation>
    </message>
    <message>
        <source>{name} asks you to sign in: Ctrl+Shift+Y.</source>
        <translation>{name} vous demande de vous connecter&#xa0;: Ctrl+Maj+Y.</translation>
    </message>
    <message>
        <source>Asking where to sign in…</source>
        <translation>Recherche de la page de connexion…</translation>
    </message>
    <message>
        <source>Signed in. Ask again to use its tools.</source>
        <translation>Connecté. Reposez la question pour utiliser ses outils.</translation>
    </message>
    <message>
        <source>Sign in…</source>
        <translation>Se connecter…</translation>
    </message>
    <message>
        <source>{name} asks you to sign in</source>
        <translation>{name} vous demande de vous connecter</translation>
    </message>
    <message>
        <source>The tools of {address} are left out until you have signed in.</source>
        <translation>Les outils de {address} sont omis jusqu’à votre connexion.</translation>
    </message>
    <message>
        <source>Sign in at {host} in your browser, within five minutes.</source>
        <translation>Connectez-vous sur {host} dans votre navigateur, dans les cinq minutes.</translation>
    </message>
    <message>
        <source>Signed out here. The server was not told, or cannot withdraw a sign-in: end it in your account there.</source>
        <translation>Déconnecté ici. Le serveur n’a pas été prévenu, ou ne peut pas révoquer une connexion&#xa0;: mettez-y fin là-bas, dans votre compte.</translation>
    </message>
    <message>
        <source>Signing out…</source>
        <translation>Déconnexion…</translation>
    </message>
    <message>
        <source>It did not ask you to sign in.</source>
        <translation>Il ne vous a pas demandé de vous connecter.</translation>
    </message>
    <message>
        <source>Remove {name}?</source>
        <translation>Retirer {name}&#xa0;?</translation>
    </message>
    <message>
        <source>Its tools are gone from all threads, with its secrets and what you allowed. Threads keep what it answered.</source>
        <translation>Ses outils disparaissent de toutes les conversations, avec ses secrets et ce que vous avez autorisé. Les conversations gardent ce qu’il a répondu.</translation>
    </message>
    <message>
        <source>What models can use to read files, search and act. Nothing runs before you allow it.</source>
        <translation>Ce que les modèles peuvent utiliser pour lire des fichiers, rechercher et agir. Rien ne s’exécute sans votre autorisation.</translation>
    </message>
    <message>
        <source>No other server is set up.</source>
        <translation>Aucun autre serveur n’est configuré.</translation>
    </message>
    <message>
        <source>ChatDesk asks about every call.</source>
        <translation>ChatDesk demande votre accord pour chaque appel.</translation>
    </message>
    <message>
        <source>Found</source>
        <translation>Trouvé</translation>
    </message>
    <message>
        <source>Started</source>
        <translation>Démarré</translation>
    </message>
    <message>
        <source>Speaks the protocol</source>
        <translation>Respecte le protocole</translation>
    </message>
    <message>
        <source>Lists its tools</source>
        <translation>Liste ses outils</translation>
    </message>
    <message>
        <source>in one project</source>
        <translation>dans un projet</translation>
    </message>
    <message>
        <source>see and change what ChatDesk remembers</source>
        <translation>voir et modifier ce que ChatDesk retient</translation>
    </message>
    <message>
        <source>list the facts that are remembered</source>
        <translation>lister les faits mémorisés</translation>
    </message>
    <message>
        <source>remember a fact</source>
        <translation>mémoriser un fait</translation>
    </message>
    <message>
        <source>change the words of a memory</source>
        <translation>changer le texte d’un souvenir</translation>
    </message>
    <message>
        <source>delete memories for good</source>
        <translation>supprimer définitivement des souvenirs</translation>
    </message>
    <message>
        <source>write all memories to a JSON file</source>
        <translation>écrire tous les souvenirs dans un fichier JSON</translation>
    </message>
    <message>
        <source>its id, as listed</source>
        <translation>son identifiant, comme dans la liste</translation>
    </message>
    <message>
        <source>one sentence</source>
        <translation>une phrase</translation>
    </message>
    <message>
        <source>only for this project, by its name or id</source>
        <translation>seulement pour ce projet, par son nom ou son identifiant</translation>
    </message>
    <message>
        <source>ids, as listed</source>
        <translation>les identifiants, comme dans la liste</translation>
    </message>
    <message>
        <source>all memories</source>
        <translation>tous les souvenirs</translation>
    </message>
    <message>
        <source>the file to write</source>
        <translation>le fichier à écrire</translation>
    </message>
    <message>
        <source>Name the memories to delete, or --all.</source>
        <translation>Indiquez les souvenirs à supprimer, ou --all.</translation>
    </message>
    <message>
        <source>Change the memories in its window, or close it first.</source>
        <translation>Modifiez les souvenirs dans sa fenêtre, ou fermez-la d’abord.</translation>
    </message>
    <message>
        <source>everywhere</source>
        <translation>partout</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent.</source>
        <translation>La mémoire est désactivée&#xa0;: rien n’est gardé ni envoyé.</translation>
    </message>
    <message>
        <source>This was remembered already.</source>
        <translation>C’était déjà mémorisé.</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories deleted</source>
        <comment>{count} memory deleted</comment>
        <translation>
            <numerusform>{count} souvenir supprimé</numerusform>
            <numerusform>{count} souvenirs supprimés</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} memories written</source>
        <comment>{count} memory written</comment>
        <translation>
            <numerusform>{count} souvenir écrit</numerusform>
            <numerusform>{count} souvenirs écrits</numerusform>
        </translation>
    </message>
    <message>
        <source>in one project, also after text from outside</source>
        <translation>dans un projet, aussi après du texte venu de l’extérieur</translation>
    </message>
    <message>
        <source>everywhere, also after text from outside</source>
        <translation>partout, aussi après du texte venu de l’extérieur</translation>
    </message>
    <message>
        <source>Add server…</source>
        <translation>Ajouter un serveur…</translation>
    </message>
    <message>
        <source>Allowed without asking</source>
        <translation>Autorisé sans demander</translation>
    </message>
    <message>
        <source>{tool} of {server}</source>
        <translation>{tool} de {server}</translation>
    </message>
    <message>
        <source>{scope} · since {when}</source>
        <translation>{scope} · depuis le {when}</translation>
    </message>
    <message>
        <source>Ask again</source>
        <translation>Redemander</translation>
    </message>
    <message>
        <source>Models can look things up in your earlier threads.</source>
        <translation>Les modèles peuvent rechercher dans vos conversations précédentes.</translation>
    </message>
    <message>
        <source>Ask again about {title}</source>
        <translation>Redemander pour {title}</translation>
    </message>
    <message>
        <source>Search engine…</source>
        <translation>Moteur de recherche…</translation>
    </message>
    <message>
        <source>It wrote: {tail}</source>
        <translation>Il a écrit&#xa0;: {tail}</translation>
    </message>
    <message>
        <source>Models can read the files of a project&apos;s folder, and propose changes to them.</source>
        <translation>Les modèles peuvent lire les fichiers du dossier d’un projet et y proposer des changements.</translation>
    </message>
    <message>
        <source>in one thread</source>
        <translation>dans une conversation</translation>
    </message>
    <message>
        <source>in one thread, also after text from outside</source>
        <translation>dans une conversation, aussi après du texte venu de l’extérieur</translation>
    </message>
    <message>
        <source>May ask your model for an answer, if you agree each time</source>
        <translation>Peut demander une réponse à votre modèle, si vous l’acceptez à chaque fois</translation>
    </message>
    <message>
        <source>Sign out</source>
        <translation>Se déconnecter</translation>
    </message>
    <message>
        <source>Sign out of {name}</source>
        <translation>Se déconnecter de {name}</translation>
    </message>
    <message>
        <source>Sign in to {name}</source>
        <translation>Se connecter à {name}</translation>
    </message>
    <message>
        <source>Test {name}</source>
        <translation>Tester {name}</translation>
    </message>
    <message>
        <source>Edit {name}</source>
        <translation>Modifier {name}</translation>
    </message>
    <message>
        <source>Choose the search engine</source>
        <translation>Choisir le moteur de recherche</translation>
    </message>
    <message numerus="yes">
        <source>{count} tools</source>
        <comment>{count} tool</comment>
        <translation>
            <numerusform>{count} outil</numerusform>
            <numerusform>{count} outils</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Running, {count} tools</source>
        <comment>Running, {count} tool</comment>
        <translation>
            <numerusform>Actif, {count} outil</numerusform>
            <numerusform>Actif, {count} outils</numerusform>
        </translation>
    </message>
    <message>
        <source>It failed.</source>
        <translation>Échec.</translation>
    </message>
    <message>
        <source>Starts when it is needed</source>
        <translation>Démarre au besoin</translation>
    </message>
    <message>
        <source>Markdown (*.md)</source>
        <translation>Markdown (*.md)</translation>
    </message>
    <message>
        <source>Web page (*.html)</source>
        <translation>Page web (*.html)</translation>
    </message>
    <message>
        <source>PDF (*.pdf)</source>
        <translation>PDF (*.pdf)</translation>
    </message>
    <message>
        <source>ChatDesk&apos;s JSON with attachments (*.zip);;ChatDesk&apos;s JSON (*.json)</source>
        <translation>JSON de ChatDesk avec pièces jointes (*.zip);;JSON de ChatDesk (*.json)</translation>
    </message>
    <message>
        <source>The project</source>
        <translation>Le projet</translation>
    </message>
    <message numerus="yes">
        <source>These {count} threads</source>
        <comment>This thread</comment>
        <translation>
            <numerusform>Cette conversation</numerusform>
            <numerusform>Ces {count} conversations</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The thread has {count} messages, too many for the clipboard. Export it instead.</source>
        <comment>The thread has {count} message, too many for the clipboard. Export it instead.</comment>
        <translation>
            <numerusform>La conversation a {count} message, trop pour le presse-papiers. Exportez-la plutôt.</numerusform>
            <numerusform>La conversation a {count} messages, trop pour le presse-papiers. Exportez-la plutôt.</numerusform>
        </translation>
    </message>
    <message>
        <source>The thread is in the clipboard, as Markdown</source>
        <translation>La conversation est dans le presse-papiers, en Markdown</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>Exporter</translation>
    </message>
    <message>
        <source>Folder to export into</source>
        <translation>Dossier où exporter</translation>
    </message>
    <message>
        <source>The export was cancelled; nothing was left behind.</source>
        <translation>L’export a été annulé&#xa0;; aucun fichier n’a été laissé.</translation>
    </message>
    <message>
        <source>Exporting</source>
        <translation>Export</translation>
    </message>
    <message>
        <source>Reading…</source>
        <translation>Lecture…</translation>
    </message>
    <message numerus="yes">
        <source>{done} of {count} messages</source>
        <comment>{done} of {count} message</comment>
        <translation>
            <numerusform>{done} message sur {count}</numerusform>
            <numerusform>{done} messages sur {count}</numerusform>
        </translation>
    </message>
    <message>
        <source>For editors and notes. One file a thread, attachments in a folder beside it.</source>
        <translation>Pour les éditeurs et les notes. Un fichier par conversation, les pièces jointes dans un dossier à côté.</translation>
    </message>
    <message>
        <source>Web page</source>
        <translation>Page web</translation>
    </message>
    <message>
        <source>One file with everything in it, to read and to print.</source>
        <translation>Un seul fichier qui contient tout, à lire et à imprimer.</translation>
    </message>
    <message>
        <source>For paper and for sending on.</source>
        <translation>Pour le papier et pour transmettre.</translation>
    </message>
    <message>
        <source>JSON with attachments (zip)</source>
        <translation>JSON avec pièces jointes (zip)</translation>
    </message>
    <message>
        <source>Everything, other versions too. ChatDesk can import it again.</source>
        <translation>Tout, les autres versions aussi. ChatDesk peut l’importer à nouveau.</translation>
    </message>
    <message>
        <source>What to export</source>
        <translation>Contenu à exporter</translation>
    </message>
    <message>
        <source>Include the trash</source>
        <translation>Inclure la corbeille</translation>
    </message>
    <message>
        <source>Choose where…</source>
        <translation>Choisir l’emplacement…</translation>
    </message>
    <message>
        <source>In ChatGPT open Settings, Data controls, and choose Export data. A link to a zip file comes by e-mail. Choose that file here, as it is.</source>
        <translation>Dans ChatGPT, ouvrez Paramètres, Gestion des données, et choisissez Exporter les données. Un lien vers un fichier zip arrive par e-mail. Choisissez ce fichier ici, tel quel.</translation>
    </message>
    <message>
        <source>In Claude open Settings, Privacy, and choose Export data. A link to a zip file comes by e-mail. Choose that file here, as it is.</source>
        <translation>Dans Claude, ouvrez Paramètres, Confidentialité, et choisissez Exporter les données. Un lien vers un fichier zip arrive par e-mail. Choisissez ce fichier ici, tel quel.</translation>
    </message>
    <message>
        <source>In Google Takeout choose My Activity alone, in it Gemini Apps alone, and JSON as the format. A link to a zip file comes by e-mail. Choose that file here, as it is.</source>
        <translation>Dans Google Takeout, choisissez uniquement Mon activité, dans celle-ci uniquement Applications Gemini, et JSON comme format. Un lien vers un fichier zip arrive par e-mail. Choisissez ce fichier ici, tel quel.</translation>
    </message>
    <message>
        <source>In Open WebUI open Settings, Chats, and choose Export Chats. It saves a JSON file: choose it here.</source>
        <translation>Dans Open WebUI, ouvrez Paramètres, Chats, et choisissez Exporter les chats. Il enregistre un fichier JSON&#xa0;: choisissez-le ici.</translation>
    </message>
    <message>
        <source>In LibreChat open a conversation, choose Export in its menu, and JSON as the format. Choose that file here.</source>
        <translation>Dans LibreChat, ouvrez une conversation, choisissez Exporter dans son menu, et JSON comme format. Choisissez ce fichier ici.</translation>
    </message>
    <message>
        <source>In AnythingLLM open Settings, Admin, Workspace Chats, and choose Export, then JSON. Choose that file here. CSV and JSONL are read as well, with less in them.</source>
        <translation>Dans AnythingLLM, ouvrez Settings, Admin, Workspace Chats, et choisissez Export, puis JSON. Choisissez ce fichier ici. CSV et JSONL sont lus aussi, mais contiennent moins d’informations.</translation>
    </message>
    <message>
        <source>In Chatbox open Settings, General, Data Backup. Tick Chat History and choose Export Selected Data. Choose that file here.</source>
        <translation>Dans Chatbox, ouvrez Settings, General, Data Backup. Cochez Chat History et choisissez Export Selected Data. Choisissez ce fichier ici.</translation>
    </message>
    <message>
        <source>In Cherry Studio open Settings, Data Settings. Choose Export to Phone and export to a file; in older versions choose Backup. Choose that zip file here.</source>
        <translation>Dans Cherry Studio, ouvrez Settings, Data Settings. Choisissez Export to Phone et exportez vers un fichier&#xa0;; dans les versions plus anciennes, choisissez Backup. Choisissez ce fichier zip ici.</translation>
    </message>
    <message>
        <source>In Jan open Settings, General, and show the data folder. Choose the folder “threads” in it here.</source>
        <translation>Dans Jan, ouvrez Settings, General, et affichez le dossier de données. Choisissez ici le dossier «&#xa0;threads&#xa0;» qu’il contient.</translation>
    </message>
    <message>
        <source>Choose the folder “conversations” here. It is in the folder “.lmstudio” of your home folder; LM Studio shows it when you choose Reveal in the menu of a chat.</source>
        <translation>Choisissez ici le dossier «&#xa0;conversations&#xa0;». Il est dans le dossier «&#xa0;.lmstudio&#xa0;» de votre dossier personnel&#xa0;; LM Studio l’affiche quand vous choisissez Reveal dans le menu d’un chat.</translation>
    </message>
    <message>
        <source>In the other ChatDesk choose Export… in the menu of a thread, then Everything, and JSON. Choose that zip file here.</source>
        <translation>Dans l’autre ChatDesk, choisissez Exporter… dans le menu d’une conversation, puis Tout, et JSON. Choisissez ce fichier zip ici.</translation>
    </message>
    <message>
        <source>Import or attach?</source>
        <translation>Importer ou joindre&#xa0;?</translation>
    </message>
    <message>
        <source>“{name}” looks like an export of chats. Import its threads, or attach the file to your message?</source>
        <translation>«&#xa0;{name}&#xa0;» ressemble à un export de discussions. Importer ses conversations, ou joindre le fichier à votre message&#xa0;?</translation>
    </message>
    <message>
        <source>Import</source>
        <translation>Importer</translation>
    </message>
    <message>
        <source>Attach</source>
        <translation>Joindre</translation>
    </message>
    <message>
        <source>Report</source>
        <translation>Rapport</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories are kept</source>
        <comment>{count} memory is kept</comment>
        <translation>
            <numerusform>{count} souvenir est gardé</numerusform>
            <numerusform>{count} souvenirs sont gardés</numerusform>
        </translation>
    </message>
    <message>
        <source>The report is in the clipboard</source>
        <translation>Le rapport est dans le presse-papiers</translation>
    </message>
    <message>
        <source>Exports (*.zip *.json *.jsonl *.csv);;All files (*)</source>
        <translation>Exports (*.zip *.json *.jsonl *.csv);;Tous les fichiers (*)</translation>
    </message>
    <message>
        <source>One named after the program</source>
        <translation>Un projet nommé d’après le programme</translation>
    </message>
    <message>
        <source>Looking into the file…</source>
        <translation>Examen du fichier…</translation>
    </message>
    <message>
        <source>Import a folder</source>
        <translation>Importer un dossier</translation>
    </message>
    <message>
        <source>{name} is chosen. Import starts it.</source>
        <translation>{name} est choisi. «&#xa0;Importer&#xa0;» lance l’opération.</translation>
    </message>
    <message>
        <source>Stopping…</source>
        <translation>Arrêt…</translation>
    </message>
    <message>
        <source>What is here already stays as it is, so a newer export of the same chats can be imported at any time.</source>
        <translation>Ce qui est déjà là reste tel quel, un export plus récent des mêmes discussions peut donc être importé à tout moment.</translation>
    </message>
    <message>
        <source>Import a file…</source>
        <translation>Importer un fichier…</translation>
    </message>
    <message>
        <source>Import a folder…</source>
        <translation>Importer un dossier…</translation>
    </message>
    <message>
        <source>Project for the imported threads</source>
        <translation>Projet des conversations importées</translation>
    </message>
    <message>
        <source>Into project</source>
        <translation>Dans le projet</translation>
    </message>
    <message>
        <source>Program that the chats come from</source>
        <translation>Programme d’où viennent les discussions</translation>
    </message>
    <message>
        <source>Chats from</source>
        <translation>Discussions de</translation>
    </message>
    <message>
        <source>Open {program}</source>
        <translation>Ouvrir {program}</translation>
    </message>
    <message>
        <source>Progress of the import</source>
        <translation>Progression de l’import</translation>
    </message>
    <message>
        <source>You can go on working: the import does not need this window. What is imported already stays if you stop.</source>
        <translation>Vous pouvez continuer à travailler&#xa0;: l’import n’a pas besoin de cette fenêtre. Ce qui est déjà importé reste si vous arrêtez.</translation>
    </message>
    <message>
        <source>Hide</source>
        <translation>Masquer</translation>
    </message>
    <message>
        <source>Result of each thread</source>
        <translation>Résultat de chaque conversation</translation>
    </message>
    <message>
        <source>ChatDesk {version} is available.</source>
        <translation>ChatDesk {version} est disponible.</translation>
    </message>
    <message>
        <source>This is ChatDesk {version}.</source>
        <translation>Vous utilisez ChatDesk {version}.</translation>
    </message>
    <message>
        <source>Look now</source>
        <translation>Rechercher maintenant</translation>
    </message>
    <message>
        <source>Open the page</source>
        <translation>Ouvrir la page</translation>
    </message>
    <message>
        <source>ChatDesk {version} is the newest version.</source>
        <translation>ChatDesk {version} est la version la plus récente.</translation>
    </message>
    <message>
        <source>ChatDesk {new} is available; you have {version}.</source>
        <translation>ChatDesk {new} est disponible&#xa0;; vous avez {version}.</translation>
    </message>
    <message>
        <source>Looking for a new version…</source>
        <translation>Recherche d’une nouvelle version…</translation>
    </message>
    <message>
        <source>Tokens a day</source>
        <translation>Tokens par jour</translation>
    </message>
    <message>
        <source>Tokens a month</source>
        <translation>Tokens par mois</translation>
    </message>
    <message>
        <source>Dollars a day</source>
        <translation>Dollars par jour</translation>
    </message>
    <message>
        <source>Dollars a month</source>
        <translation>Dollars par mois</translation>
    </message>
    <message>
        <source>At the warning you get one note a day, and titles and summaries wait. At the stop nothing more is sent: your question is kept, and you can send it anyway. A model without a price counts as free here. Messages have a rate, such as 20/min or 200/day: further ones wait their turn.</source>
        <translation>Au seuil d’avertissement, vous recevez une note par jour, et les titres et résumés attendent. Au seuil d’arrêt, plus rien n’est envoyé&#xa0;: votre question est conservée, et vous pouvez l’envoyer quand même. Un modèle sans prix compte ici comme gratuit. Les messages ont un débit, par exemple 20/min ou 200/day&#xa0;: les suivants attendent leur tour.</translation>
    </message>
    <message>
        <source>Add a limit</source>
        <translation>Ajouter une limite</translation>
    </message>
    <message>
        <source>Two rates apply to the same provider or project. Remove one of them.</source>
        <translation>Deux débits s’appliquent au même fournisseur ou projet. Retirez l’un d’eux.</translation>
    </message>
    <message>
        <source>Remove limit {number}</source>
        <translation>Retirer la limite {number}</translation>
    </message>
    <message>
        <source>Warning at</source>
        <translation>Avertir à</translation>
    </message>
    <message>
        <source>Stop at</source>
        <translation>Arrêter à</translation>
    </message>
    <message>
        <source>At most</source>
        <translation>Au plus</translation>
    </message>
    <message>
        <source>“{typed}” is not a rate ({where}): {why}.</source>
        <translation>«&#xa0;{typed}&#xa0;» n’est pas un débit ({where})&#xa0;: {why}.</translation>
    </message>
    <message>
        <source>Limit {number}, for</source>
        <translation>Limite {number}, pour</translation>
    </message>
    <message>
        <source>Limit {number}, of</source>
        <translation>Limite {number}, de</translation>
    </message>
    <message>
        <source>Limit {number}, warning at</source>
        <translation>Limite {number}, avertir à</translation>
    </message>
    <message>
        <source>Limit {number}, stop at</source>
        <translation>Limite {number}, arrêter à</translation>
    </message>
    <message>
        <source>No warning</source>
        <translation>Aucun</translation>
    </message>
    <message>
        <source>No stop</source>
        <translation>Aucun</translation>
    </message>
    <message>
        <source>“{typed}” is not a number ({where}). Write it as 100000 or 2.50.</source>
        <translation>«&#xa0;{typed}&#xa0;» n’est pas un nombre ({where}). Écrivez par exemple 100000 ou 2.50.</translation>
    </message>
    <message>
        <source>It is sent when the answer before it is complete.</source>
        <translation>Il sera envoyé une fois la réponse précédente terminée.</translation>
    </message>
    <message>
        <source>The answer before it was not completed. Go to it to send it now.</source>
        <translation>La réponse précédente ne s’est pas terminée. Allez-y pour l’envoyer maintenant.</translation>
    </message>
    <message>
        <source>You are offline. It is sent when the connection is back.</source>
        <translation>Vous êtes hors ligne. Il sera envoyé au retour de la connexion.</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages wait</source>
        <comment>{count} message waits</comment>
        <translation>
            <numerusform>{count} message attend</numerusform>
            <numerusform>{count} messages attendent</numerusform>
        </translation>
    </message>
    <message>
        <source>ChatDesk usage {first} to {last}.csv</source>
        <translation>Utilisation de ChatDesk {first} à {last}.csv</translation>
    </message>
    <message>
        <source>Export usage</source>
        <translation>Exporter l’utilisation</translation>
    </message>
    <message>
        <source>CSV (*.csv)</source>
        <translation>CSV (*.csv)</translation>
    </message>
    <message numerus="yes">
        <source>{count} lines were written to {name}</source>
        <comment>{count} line was written to {name}</comment>
        <translation>
            <numerusform>{count} ligne a été écrite dans {name}</numerusform>
            <numerusform>{count} lignes ont été écrites dans {name}</numerusform>
        </translation>
    </message>
    <message>
        <source>{amount} used</source>
        <translation>{amount} utilisés</translation>
    </message>
    <message>
        <source>It is sent in a moment.</source>
        <translation>Il sera envoyé dans un instant.</translation>
    </message>
    <message>
        <source>Waiting: sends at {clock}, {before} before it.</source>
        <translation>En attente&#xa0;: envoi à {clock}, {before} devant.</translation>
    </message>
    <message>
        <source>Waiting: sends at {clock}.</source>
        <translation>En attente&#xa0;: envoi à {clock}.</translation>
    </message>
    <message>
        <source>Waiting: it is sent automatically, {before} before it.</source>
        <translation>En attente&#xa0;: envoi automatique, {before} devant.</translation>
    </message>
    <message>
        <source>Waiting: it is sent automatically.</source>
        <translation>En attente&#xa0;: envoi automatique.</translation>
    </message>
    <message>
        <source>{time} on {day}</source>
        <translation>{time} le {day}</translation>
    </message>
    <message>
        <source>Waiting to be sent</source>
        <translation>En attente d’envoi</translation>
    </message>
    <message>
        <source>Go to it</source>
        <translation>Y aller</translation>
    </message>
    <message>
        <source>Go to {about}</source>
        <translation>Aller à {about}</translation>
    </message>
    <message>
        <source>Send first</source>
        <translation>Envoyer d’abord</translation>
    </message>
    <message>
        <source>Send first: {about}</source>
        <translation>Envoyer d’abord&#xa0;: {about}</translation>
    </message>
    <message>
        <source>Cancel {about}</source>
        <translation>Annuler {about}</translation>
    </message>
    <message>
        <source>Nothing waits.</source>
        <translation>Rien en attente.</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages wait. What is cancelled is not sent; the question is kept.</source>
        <comment>{count} message waits. What is cancelled is not sent; the question is kept.</comment>
        <translation>
            <numerusform>{count} message attend. Ce qui est annulé n’est pas envoyé&#xa0;; la question est conservée.</numerusform>
            <numerusform>{count} messages attendent. Ce qui est annulé n’est pas envoyé&#xa0;; la question est conservée.</numerusform>
        </translation>
    </message>
    <message>
        <source>{problem} Nothing was kept.</source>
        <translation>{problem} Rien n’a été gardé.</translation>
    </message>
    <message>
        <source>{label} is kept. It cannot answer before it has a key.</source>
        <translation>{label} est enregistré. Il ne pourra répondre qu’avec une clé.</translation>
    </message>
    <message>
        <source>{label} is connected.</source>
        <translation>{label} est connecté.</translation>
    </message>
    <message>
        <source>{label} is connected. {model} answers.</source>
        <translation>{label} est connecté. {model} répond.</translation>
    </message>
    <message>
        <source>Paste the key of a provider, or choose a server of your own. It is tested before it is kept.</source>
        <translation>Collez la clé d’un fournisseur, ou choisissez votre propre serveur. Il est testé avant d’être enregistré.</translation>
    </message>
    <message>
        <source>All providers…</source>
        <translation>Tous les fournisseurs…</translation>
    </message>
    <message>
        <source>Provider</source>
        <translation>Fournisseur</translation>
    </message>
    <message>
        <source>Own server…</source>
        <translation>Serveur personnel…</translation>
    </message>
    <message>
        <source>Address of the server</source>
        <translation>Adresse du serveur</translation>
    </message>
    <message>
        <source>Connect</source>
        <translation>Connecter</translation>
    </message>
    <message>
        <source>Save without a test</source>
        <translation>Enregistrer sans test</translation>
    </message>
    <message>
        <source>Found on this computer:</source>
        <translation>Trouvés sur cet ordinateur&#xa0;:</translation>
    </message>
    <message>
        <source>Use {label}, {models}</source>
        <translation>Utiliser {label}, {models}</translation>
    </message>
    <message>
        <source>Found on this computer: {servers}</source>
        <translation>Trouvés sur cet ordinateur&#xa0;: {servers}</translation>
    </message>
    <message>
        <source>Paste the key that {label} gave you.</source>
        <translation>Collez la clé que {label} vous a donnée.</translation>
    </message>
    <message>
        <source>This is a key of {label}</source>
        <translation>Ceci est une clé de {label}</translation>
    </message>
    <message>
        <source>First steps</source>
        <translation>Premiers pas</translation>
    </message>
    <message>
        <source>Take the tour</source>
        <translation>Faire la visite</translation>
    </message>
    <message>
        <source>Welcome to ChatDesk</source>
        <translation>Bienvenue dans ChatDesk</translation>
    </message>
    <message>
        <source>Connect a model to begin. Your chats stay on this computer.</source>
        <translation>Connectez un modèle pour commencer. Vos discussions restent sur cet ordinateur.</translation>
    </message>
    <message>
        <source>More…</source>
        <translation>Autres…</translation>
    </message>
    <message>
        <source>Connect a provider</source>
        <translation>Connecter un fournisseur</translation>
    </message>
    <message>
        <source>Import your chats</source>
        <translation>Importer vos discussions</translation>
    </message>
    <message>
        <source>Choose where they are now: the next page says how to get them out.</source>
        <translation>Choisissez où elles sont maintenant&#xa0;: la page suivante explique comment les exporter.</translation>
    </message>
    <message>
        <source>Import from {program}</source>
        <translation>Importer de {program}</translation>
    </message>
    <message>
        <source>No account and no network: the demo model shows what ChatDesk can do.</source>
        <translation>Ni compte ni réseau&#xa0;: le modèle de démonstration montre ce que ChatDesk sait faire.</translation>
    </message>
    <message>
        <source>What can ChatDesk do?</source>
        <translation>Que sait faire ChatDesk&#xa0;?</translation>
    </message>
    <message>
        <source>The provider of this model is gone. Choose another model at the top.</source>
        <translation>Le fournisseur de ce modèle n’existe plus. Choisissez un autre modèle en haut.</translation>
    </message>
    <message>
        <source>{label} has no key yet, so it cannot answer. Put it into Settings, Providers, or choose another model at the top.</source>
        <translation>{label} n’a pas encore de clé, il ne peut donc pas répondre. Mettez-la dans Paramètres, Fournisseurs, ou choisissez un autre modèle en haut.</translation>
    </message>
    <message>
        <source>The demo model answers, without account or network. It shows what ChatDesk can do.</source>
        <translation>Le modèle de démonstration répond, sans compte ni réseau. Il montre ce que ChatDesk sait faire.</translation>
    </message>
    <message>
        <source>{who} answers. Choose another model at the top.</source>
        <translation>{who} répond. Choisissez un autre modèle en haut.</translation>
    </message>
    <message>
        <source>Text of the artifact</source>
        <translation>Texte de l’artefact</translation>
    </message>
    <message>
        <source>Ctrl+Enter saves a version, Esc leaves. Tab writes a tab.</source>
        <translation>Ctrl+Entrée enregistre une version, Échap quitte. Tab écrit une tabulation.</translation>
    </message>
    <message numerus="yes">
        <source>{count} rows</source>
        <comment>{count} row</comment>
        <translation>
            <numerusform>{count} ligne</numerusform>
            <numerusform>{count} lignes</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} columns</source>
        <comment>{count} column</comment>
        <translation>
            <numerusform>{count} colonne</numerusform>
            <numerusform>{count} colonnes</numerusform>
        </translation>
    </message>
    <message>
        <source>Ask for a change</source>
        <translation>Demander une modification</translation>
    </message>
    <message>
        <source>Save…</source>
        <translation>Enregistrer…</translation>
    </message>
    <message>
        <source>Show in the thread</source>
        <translation>Afficher dans la conversation</translation>
    </message>
    <message>
        <source>Remove from the list</source>
        <translation>Retirer de la liste</translation>
    </message>
    <message>
        <source>All artifacts</source>
        <translation>Tous les artefacts</translation>
    </message>
    <message>
        <source>Previous version of the artifact</source>
        <translation>Version précédente de l’artefact</translation>
    </message>
    <message>
        <source>Next version of the artifact</source>
        <translation>Version suivante de l’artefact</translation>
    </message>
    <message>
        <source>Source</source>
        <translation>Source</translation>
    </message>
    <message>
        <source>Differences</source>
        <translation>Différences</translation>
    </message>
    <message>
        <source>Save as version</source>
        <translation>Enregistrer comme version</translation>
    </message>
    <message>
        <source>{number} / {count}</source>
        <translation>{number} / {count}</translation>
    </message>
    <message>
        <source>Hide differences</source>
        <translation>Masquer les différences</translation>
    </message>
    <message>
        <source>Hide the differences</source>
        <translation>Masquer les différences</translation>
    </message>
    <message>
        <source>Show what changed since version {number}</source>
        <translation>Afficher ce qui a changé depuis la version {number}</translation>
    </message>
    <message>
        <source>Drawn</source>
        <translation>Rendu</translation>
    </message>
    <message>
        <source>Show it drawn</source>
        <translation>Afficher le rendu</translation>
    </message>
    <message>
        <source>Show its source</source>
        <translation>Afficher la source</translation>
    </message>
    <message>
        <source>{name}, version {number} of {count}</source>
        <translation>{name}, version {number} sur {count}</translation>
    </message>
    <message>
        <source>A temporary chat keeps no artifacts, because they are stored on disk. Keep the chat to open some.</source>
        <translation>Une discussion temporaire ne garde pas d’artefacts, car ils sont enregistrés sur le disque. Gardez la discussion pour en ouvrir.</translation>
    </message>
    <message>
        <source>This thread has no artifacts yet. Files of its messages are listed here, and so is code that you open: code of 15 lines or more has “Open as artifact”, in its header and in the menu of its message.</source>
        <translation>Cette conversation n’a pas encore d’artefacts. Les fichiers de ses messages apparaissent ici, ainsi que le code que vous ouvrez&#xa0;: le code de 15 lignes ou plus propose «&#xa0;Ouvrir comme artefact&#xa0;», dans son en-tête et dans le menu de son message.</translation>
    </message>
    <message>
        <source>Artifacts of this thread</source>
        <translation>Artefacts de cette conversation</translation>
    </message>
    <message numerus="yes">
        <source>{count} versions</source>
        <comment>{count} version</comment>
        <translation>
            <numerusform>{count} version</numerusform>
            <numerusform>{count} versions</numerusform>
        </translation>
    </message>
    <message>
        <source>edited by you</source>
        <translation>modifiée par vous</translation>
    </message>
    <message>
        <source>proposed change to a file</source>
        <translation>changement de fichier proposé</translation>
    </message>
    <message>
        <source>from the tool {tool}</source>
        <translation>de l’outil {tool}</translation>
    </message>
    <message>
        <source>attached to a question</source>
        <translation>joint à une question</translation>
    </message>
    <message>
        <source>from a question</source>
        <translation>d’une question</translation>
    </message>
    <message>
        <source>from an answer</source>
        <translation>d’une réponse</translation>
    </message>
    <message>
        <source>sent</source>
        <translation>envoyé</translation>
    </message>
    <message>
        <source>in the summary</source>
        <translation>dans le résumé</translation>
    </message>
    <message>
        <source>excluded</source>
        <translation>exclu</translation>
    </message>
    <message>
        <source>did not fit</source>
        <translation>omis faute de place</translation>
    </message>
    <message>
        <source>empty</source>
        <translation>vide</translation>
    </message>
    <message>
        <source>user</source>
        <translation>utilisateur</translation>
    </message>
    <message>
        <source>assistant</source>
        <translation>assistant</translation>
    </message>
    <message>
        <source>system</source>
        <translation>système</translation>
    </message>
    <message>
        <source>tool</source>
        <translation>outil</translation>
    </message>
    <message>
        <source>before the start of the context</source>
        <translation>avant le début du contexte</translation>
    </message>
    <message>
        <source>What the model will see</source>
        <translation>Ce que le modèle verra</translation>
    </message>
    <message>
        <source>What happens to each message</source>
        <translation>Ce qui arrive à chaque message</translation>
    </message>
    <message>
        <source>Pin</source>
        <translation>Fixer</translation>
    </message>
    <message>
        <source>Exclude</source>
        <translation>Exclure</translation>
    </message>
    <message>
        <source>Start here</source>
        <translation>Commencer ici</translation>
    </message>
    <message>
        <source>Copy request as JSON</source>
        <translation>Copier la requête en JSON</translation>
    </message>
    <message>
        <source>Nothing yet: ask something.</source>
        <translation>Rien encore&#xa0;: posez une question.</translation>
    </message>
    <message>
        <source>Unpin</source>
        <translation>Ne plus fixer</translation>
    </message>
    <message>
        <source>Include</source>
        <translation>Inclure</translation>
    </message>
    <message>
        <source>Start at the top</source>
        <translation>Commencer au début</translation>
    </message>
    <message>
        <source>(no text)</source>
        <translation>(pas de texte)</translation>
    </message>
    <message>
        <source>{about}: {text}</source>
        <translation>{about}&#xa0;: {text}</translation>
    </message>
    <message>
        <source>about {used} of {window} tokens · {model}</source>
        <translation>environ {used} tokens sur {window} · {model}</translation>
    </message>
    <message>
        <source>{used} of {window} tokens · {model}</source>
        <translation>{used} tokens sur {window} · {model}</translation>
    </message>
    <message>
        <source>pinned</source>
        <translation>fixé</translation>
    </message>
    <message numerus="yes">
        <source>{count} did not fit</source>
        <comment>{count} did not fit</comment>
        <translation>
            <numerusform>{count} omis faute de place</numerusform>
            <numerusform>{count} omis faute de place</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} excluded</source>
        <comment>{count} excluded</comment>
        <translation>
            <numerusform>{count} exclu</numerusform>
            <numerusform>{count} exclus</numerusform>
        </translation>
    </message>
    <message>
        <source>older messages are left out from where you started</source>
        <translation>les messages antérieurs à votre point de départ sont laissés de côté</translation>
    </message>
    <message>
        <source>the summary is out of date and not sent</source>
        <translation>le résumé n’est plus à jour et n’est pas envoyé</translation>
    </message>
    <message>
        <source>{part}: {tokens}</source>
        <translation>{part}&#xa0;: {tokens}</translation>
    </message>
    <message>
        <source>Memories</source>
        <translation>Souvenirs</translation>
    </message>
    <message numerus="yes">
        <source>Summary of {count} messages</source>
        <comment>Summary of {count} message</comment>
        <translation>
            <numerusform>Résumé de {count} message</numerusform>
            <numerusform>Résumé de {count} messages</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Pinned · {count} messages</source>
        <comment>Pinned · {count} message</comment>
        <translation>
            <numerusform>Fixé · {count} message</numerusform>
            <numerusform>Fixés · {count} messages</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Recent · {count} messages</source>
        <comment>Recent · {count} message</comment>
        <translation>
            <numerusform>Récent · {count} message</numerusform>
            <numerusform>Récents · {count} messages</numerusform>
        </translation>
    </message>
    <message>
        <source>Your draft</source>
        <translation>Votre brouillon</translation>
    </message>
    <message>
        <source>Room for the answer</source>
        <translation>Place pour la réponse</translation>
    </message>
    <message>
        <source>Inspector</source>
        <translation>Inspecteur</translation>
    </message>
    <message>
        <source>Inspector tabs</source>
        <translation>Onglets de l’inspecteur</translation>
    </message>
    <message>
        <source>Close the inspector</source>
        <translation>Fermer l’inspecteur</translation>
    </message>
    <message>
        <source>Filter the questions</source>
        <translation>Filtrer les questions</translation>
    </message>
    <message numerus="yes">
        <source>{count} questions</source>
        <comment>{count} question</comment>
        <translation>
            <numerusform>{count} question</numerusform>
            <numerusform>{count} questions</numerusform>
        </translation>
    </message>
    <message>
        <source>Reading the thread…</source>
        <translation>Lecture de la conversation…</translation>
    </message>
    <message>
        <source>No question contains these words.</source>
        <translation>Aucune question ne contient ces mots.</translation>
    </message>
    <message>
        <source>No question has been asked yet.</source>
        <translation>Aucune question n’a encore été posée.</translation>
    </message>
    <message numerus="yes">
        <source>about {count} tokens</source>
        <comment>about {count} token</comment>
        <translation>
            <numerusform>environ {count} token</numerusform>
            <numerusform>environ {count} tokens</numerusform>
        </translation>
    </message>
    <message>
        <source>one of its messages was edited</source>
        <translation>l’un de ses messages a été modifié</translation>
    </message>
    <message>
        <source>one of its messages was deleted</source>
        <translation>l’un de ses messages a été supprimé</translation>
    </message>
    <message>
        <source>another version of one of its messages is shown</source>
        <translation>une autre version de l’un de ses messages est affichée</translation>
    </message>
    <message>
        <source>one of its messages was excluded</source>
        <translation>l’un de ses messages a été exclu</translation>
    </message>
    <message>
        <source>Question</source>
        <translation>Question</translation>
    </message>
    <message>
        <source>Tool result</source>
        <translation>Résultat d’outil</translation>
    </message>
    <message>
        <source>Text of the summary</source>
        <translation>Texte du résumé</translation>
    </message>
    <message>
        <source>Kept word for word, a line each</source>
        <translation>Gardés mot pour mot, un par ligne</translation>
    </message>
    <message>
        <source>Facts that are kept word for word, a line each</source>
        <translation>Faits gardés mot pour mot, un par ligne</translation>
    </message>
    <message>
        <source>Summarise this thread</source>
        <translation>Résumer cette conversation</translation>
    </message>
    <message>
        <source>Summarise threads of this project</source>
        <translation>Résumer les conversations de ce projet</translation>
    </message>
    <message>
        <source>Do not send</source>
        <translation>Ne pas envoyer</translation>
    </message>
    <message>
        <source>First source</source>
        <translation>Première source</translation>
    </message>
    <message>
        <source>Last source</source>
        <translation>Dernière source</translation>
    </message>
    <message>
        <source>There is no summary yet: it is made when the context fills.</source>
        <translation>Il n’y a pas encore de résumé&#xa0;: il sera créé quand le contexte se remplira.</translation>
    </message>
    <message>
        <source>Save the summary</source>
        <translation>Enregistrer le résumé</translation>
    </message>
    <message>
        <source>Edit the summary</source>
        <translation>Modifier le résumé</translation>
    </message>
    <message>
        <source>Send again</source>
        <translation>Envoyer à nouveau</translation>
    </message>
    <message numerus="yes">
        <source>Made from {count} messages</source>
        <comment>Made from {count} message</comment>
        <translation>
            <numerusform>Fait à partir de {count} message</numerusform>
            <numerusform>Fait à partir de {count} messages</numerusform>
        </translation>
    </message>
    <message>
        <source>a model</source>
        <translation>un modèle</translation>
    </message>
    <message numerus="yes">
        <source>Version {version}, by {who}, {when}: {count} messages in {tokens} tokens.</source>
        <comment>Version {version}, by {who}, {when}: {count} message in {tokens} tokens.</comment>
        <translation>
            <numerusform>Version {version}, par {who}, {when}&#xa0;: {count} message en {tokens} tokens.</numerusform>
            <numerusform>Version {version}, par {who}, {when}&#xa0;: {count} messages en {tokens} tokens.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Making it took {count} tokens.</source>
        <comment>Making it took {count} token.</comment>
        <translation>
            <numerusform>Sa création a utilisé {count} token.</numerusform>
            <numerusform>Sa création a utilisé {count} tokens.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Making it took {count} tokens ({price}).</source>
        <comment>Making it took {count} token ({price}).</comment>
        <translation>
            <numerusform>Sa création a utilisé {count} token ({price}).</numerusform>
            <numerusform>Sa création a utilisé {count} tokens ({price}).</numerusform>
        </translation>
    </message>
    <message>
        <source>Summaries are switched off in Settings, Context, for all threads.</source>
        <translation>Les résumés sont désactivés dans Paramètres, Contexte, pour toutes les conversations.</translation>
    </message>
    <message>
        <source>No thread of this project is summarised.</source>
        <translation>Aucune conversation de ce projet n’est résumée.</translation>
    </message>
    <message>
        <source>Today&apos;s limit for titles and summaries is reached. Summaries are made again tomorrow.</source>
        <translation>La limite du jour pour les titres et les résumés est atteinte. Les résumés reprendront demain.</translation>
    </message>
    <message>
        <source>Some of its messages are gone for good, so it is not sent.</source>
        <translation>Certains de ses messages ont été supprimés définitivement, il n’est donc pas envoyé.</translation>
    </message>
    <message>
        <source>It is not sent: you switched it off. Another one is made only when you redo it.</source>
        <translation>Il n’est pas envoyé&#xa0;: vous l’avez désactivé. Un autre ne sera créé que si vous le refaites.</translation>
    </message>
    <message>
        <source>It is out of date and not sent: {why}. Redo it to have it sent again.</source>
        <translation>Il n’est plus à jour et n’est pas envoyé&#xa0;: {why}. Refaites-le pour qu’il soit envoyé à nouveau.</translation>
    </message>
    <message>
        <source>It is out of date and not sent. Redo it to have it sent again.</source>
        <translation>Il n’est plus à jour et n’est pas envoyé. Refaites-le pour qu’il soit envoyé à nouveau.</translation>
    </message>
    <message>
        <source>Messages that the summary is made from</source>
        <translation>Messages à partir desquels le résumé est fait</translation>
    </message>
    <message>
        <source>All versions of this thread</source>
        <translation>Toutes les versions de cette conversation</translation>
    </message>
    <message>
        <source>{what} of {model}</source>
        <translation>{what} de {model}</translation>
    </message>
    <message>
        <source>version {number} of {count}</source>
        <translation>version {number} sur {count}</translation>
    </message>
    <message>
        <source>removed for good</source>
        <translation>supprimé définitivement</translation>
    </message>
    <message>
        <source>shown</source>
        <translation>affiché</translation>
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
        <translation>au moins {cost}</translation>
    </message>
    <message>
        <source>no price is known</source>
        <translation>aucun prix connu</translation>
    </message>
    <message>
        <source>In</source>
        <translation>Entrée</translation>
    </message>
    <message>
        <source>Cached</source>
        <translation>En cache</translation>
    </message>
    <message>
        <source>Of them from the provider&apos;s cache</source>
        <translation>Dont venus du cache du fournisseur</translation>
    </message>
    <message>
        <source>Out</source>
        <translation>Sortie</translation>
    </message>
    <message>
        <source>Thought</source>
        <translation>Réflexion</translation>
    </message>
    <message>
        <source>Of them for reasoning</source>
        <translation>Dont pour le raisonnement</translation>
    </message>
    <message>
        <source>Cost</source>
        <translation>Coût</translation>
    </message>
    <message>
        <source>What this thread used</source>
        <translation>Ce que cette conversation a utilisé</translation>
    </message>
    <message>
        <source>Add prices…</source>
        <translation>Ajouter des prix…</translation>
    </message>
    <message>
        <source>Total</source>
        <translation>Total</translation>
    </message>
    <message>
        <source>{line}, {column}: {value}</source>
        <translation>{line}, {column}&#xa0;: {value}</translation>
    </message>
    <message>
        <source>Tokens and cost by kind of work and model</source>
        <translation>Tokens et coût par type de travail et modèle</translation>
    </message>
    <message numerus="yes">
        <source>{count} requests</source>
        <comment>{count} request</comment>
        <translation>
            <numerusform>{count} requête</numerusform>
            <numerusform>{count} requêtes</numerusform>
        </translation>
    </message>
    <message>
        <source>{tokens} in {requests}.</source>
        <translation>{tokens} en {requests}.</translation>
    </message>
    <message>
        <source>{tokens} in {requests}, {cost}.</source>
        <translation>{tokens} en {requests}, {cost}.</translation>
    </message>
    <message numerus="yes">
        <source>The tokens of {count} requests are estimates: the server did not count them.</source>
        <comment>The tokens of {count} request are estimates: the server did not count them.</comment>
        <translation>
            <numerusform>Les tokens de {count} requête sont des estimations&#xa0;: le serveur ne les a pas comptés.</numerusform>
            <numerusform>Les tokens de {count} requêtes sont des estimations&#xa0;: le serveur ne les a pas comptés.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens were stored in the provider&apos;s cache.</source>
        <comment>{count} token was stored in the provider&apos;s cache.</comment>
        <translation>
            <numerusform>{count} token a été mis dans le cache du fournisseur.</numerusform>
            <numerusform>{count} tokens ont été mis dans le cache du fournisseur.</numerusform>
        </translation>
    </message>
    <message>
        <source>No price is known for {models}. The cost leaves it out.</source>
        <translation>Aucun prix n’est connu pour {models}. Le coût n’en tient pas compte.</translation>
    </message>
    <message>
        <source>{month} {year}</source>
        <translation>{month} {year}</translation>
    </message>
    <message>
        <source>{day} {month}</source>
        <translation>{day} {month}</translation>
    </message>
    <message>
        <source>{day} {month} {year}</source>
        <translation>{day} {month} {year}</translation>
    </message>
    <message>
        <source>{day}, {time}</source>
        <translation>{day}, {time}</translation>
    </message>
    <message>
        <source>under {amount}</source>
        <translation>moins de {amount}</translation>
    </message>
    <message>
        <source>${amount}</source>
        <translation>{amount}&#xa0;$</translation>
    </message>
    <message>
        <source>in threads with a tag</source>
        <translation>dans les conversations avec une étiquette</translation>
    </message>
    <message>
        <source>written by you or by the model</source>
        <translation>écrit par vous ou par le modèle</translation>
    </message>
    <message>
        <source>answered by a model</source>
        <translation>réponse d’un modèle</translation>
    </message>
    <message>
        <source>before a day: 2026-05-01, yesterday, 7d</source>
        <translation>avant un jour&#xa0;: 2026-05-01, yesterday, 7d</translation>
    </message>
    <message>
        <source>from a day on: 2026-05-01, yesterday, 7d</source>
        <translation>à partir d’un jour&#xa0;: 2026-05-01, yesterday, 7d</translation>
    </message>
    <message>
        <source>with code, an image or a file</source>
        <translation>avec du code, une image ou un fichier</translation>
    </message>
    <message>
        <source>pinned, archived or trashed</source>
        <translation>épinglé, archivé ou à la corbeille</translation>
    </message>
    <message>
        <source>Narrow with project: tag: role: model: before: after: has: is: and leave out with -word. &gt; lists commands.</source>
        <translation>Précisez avec project: tag: role: model: before: after: has: is: et excluez avec -mot. &gt; affiche les commandes.</translation>
    </message>
    <message>
        <source>No command matches.</source>
        <translation>Aucune commande ne correspond.</translation>
    </message>
    <message>
        <source>Filters</source>
        <translation>Filtres</translation>
    </message>
    <message>
        <source>Filter {filter}</source>
        <translation>Filtre {filter}</translation>
    </message>
    <message>
        <source>Commands</source>
        <translation>Commandes</translation>
    </message>
    <message>
        <source>Search everything</source>
        <translation>Rechercher partout</translation>
    </message>
    <message>
        <source>Results are below: up and down choose, Tab goes to the next group</source>
        <translation>Les résultats sont en dessous&#xa0;: flèches haut et bas pour choisir, Tab pour le groupe suivant</translation>
    </message>
    <message>
        <source>Search messages, threads, files and commands</source>
        <translation>Rechercher des messages, conversations, fichiers et commandes</translation>
    </message>
    <message>
        <source>Results</source>
        <translation>Résultats</translation>
    </message>
    <message>
        <source>{found}. First: {row}</source>
        <extracomment>Spoken after a search: how much was found, and the first result, which Enter opens.</extracomment>
        <translation>{found}. Premier résultat&#xa0;: {row}</translation>
    </message>
    <message>
        <source>More messages…</source>
        <translation>Autres messages…</translation>
    </message>
    <message>
        <source>More threads…</source>
        <translation>Autres conversations…</translation>
    </message>
    <message>
        <source>More projects…</source>
        <translation>Autres projets…</translation>
    </message>
    <message>
        <source>More tags…</source>
        <translation>Autres étiquettes…</translation>
    </message>
    <message>
        <source>More files…</source>
        <translation>Autres fichiers…</translation>
    </message>
    <message numerus="yes">
        <source>{count} tags</source>
        <comment>{count} tag</comment>
        <translation>
            <numerusform>{count} étiquette</numerusform>
            <numerusform>{count} étiquettes</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} files</source>
        <comment>{count} file</comment>
        <translation>
            <numerusform>{count} fichier</numerusform>
            <numerusform>{count} fichiers</numerusform>
        </translation>
    </message>
    <message>
        <source>Tool</source>
        <translation>Outil</translation>
    </message>
    <message>
        <source>Recent threads</source>
        <translation>Conversations récentes</translation>
    </message>
    <message>
        <source>more than {found}</source>
        <translation>plus de {found}</translation>
    </message>
    <message numerus="yes">
        <source>{count} commands</source>
        <comment>{count} command</comment>
        <translation>
            <numerusform>{count} commande</numerusform>
            <numerusform>{count} commandes</numerusform>
        </translation>
    </message>
    <message>
        <source>today</source>
        <translation>aujourd’hui</translation>
    </message>
    <message>
        <source>yesterday</source>
        <translation>hier</translation>
    </message>
    <message>
        <source>All results for “{query}”</source>
        <translation>Tous les résultats pour «&#xa0;{query}&#xa0;»</translation>
    </message>
    <message>
        <source>archived</source>
        <translation>archivée</translation>
    </message>
    <message>
        <source>another version</source>
        <translation>autre version</translation>
    </message>
    <message>
        <source>{what}, in {thread}</source>
        <translation>{what}, dans {thread}</translation>
    </message>
    <message>
        <source>thread {name}</source>
        <translation>conversation {name}</translation>
    </message>
    <message>
        <source>project {name}</source>
        <translation>projet {name}</translation>
    </message>
    <message>
        <source>tag {name}</source>
        <translation>étiquette {name}</translation>
    </message>
    <message>
        <source>file {name}</source>
        <translation>fichier {name}</translation>
    </message>
    <message numerus="yes">
        <source>more than {count} found in {took} ms</source>
        <comment>more than {count} found in {took} ms</comment>
        <translation>
            <numerusform>plus de {count} trouvé en {took}&#xa0;ms</numerusform>
            <numerusform>plus de {count} trouvés en {took}&#xa0;ms</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} found in {took} ms</source>
        <comment>{count} found in {took} ms</comment>
        <translation>
            <numerusform>{count} trouvé en {took}&#xa0;ms</numerusform>
            <numerusform>{count} trouvés en {took}&#xa0;ms</numerusform>
        </translation>
    </message>
    <message>
        <source>more than {count} found</source>
        <translation>plus de {count} trouvés</translation>
    </message>
    <message numerus="yes">
        <source>{count} found</source>
        <comment>{count} found</comment>
        <translation>
            <numerusform>{count} trouvé</numerusform>
            <numerusform>{count} trouvés</numerusform>
        </translation>
    </message>
    <message>
        <source>Opens the list of what waits</source>
        <translation>Ouvre la liste de ce qui attend</translation>
    </message>
    <message>
        <source>Temporary chat, not stored</source>
        <translation>Discussion temporaire, non enregistrée</translation>
    </message>
    <message>
        <source>Opens the temporary chat</source>
        <translation>Ouvre la discussion temporaire</translation>
    </message>
    <message>
        <source>{title} (temporary: nothing is stored)</source>
        <translation>{title} (temporaire&#xa0;: rien n’est enregistré)</translation>
    </message>
    <message>
        <source>Sync</source>
        <translation>Synchronisation</translation>
    </message>
    <message>
        <source>Opens the details of sync</source>
        <translation>Ouvre les détails de la synchronisation</translation>
    </message>
    <message numerus="yes">
        <source>{title}, project folder, {count} threads</source>
        <comment>{title}, project folder, {count} thread</comment>
        <translation>
            <numerusform>{title}, dossier de projet, {count} conversation</numerusform>
            <numerusform>{title}, dossier de projet, {count} conversations</numerusform>
        </translation>
    </message>
    <message>
        <source>By name</source>
        <translation>Par nom</translation>
    </message>
    <message>
        <source>Unknown time</source>
        <translation>Date inconnue</translation>
    </message>
    <message>
        <source>Today</source>
        <translation>Aujourd’hui</translation>
    </message>
    <message>
        <source>Yesterday</source>
        <translation>Hier</translation>
    </message>
    <message>
        <source>Previous 7 days</source>
        <translation>7 derniers jours</translation>
    </message>
    <message>
        <source>Pinned</source>
        <comment>heading</comment>
        <translation>Épinglées</translation>
    </message>
    <message numerus="yes">
        <source>{count} days left</source>
        <comment>{count} day left</comment>
        <translation>
            <numerusform>encore {count} jour</numerusform>
            <numerusform>encore {count} jours</numerusform>
        </translation>
    </message>
    <message>
        <source>today {time}</source>
        <translation>aujourd’hui {time}</translation>
    </message>
    <message>
        <source>Load the list of threads again</source>
        <translation>Recharger la liste des conversations</translation>
    </message>
    <message>
        <source>Loading threads…</source>
        <translation>Chargement des conversations…</translation>
    </message>
    <message>
        <source>Trash</source>
        <translation>Corbeille</translation>
    </message>
    <message>
        <source>You can only read this project</source>
        <translation>Vous ne pouvez que lire ce projet</translation>
    </message>
    <message numerus="yes">
        <source>Mark {count} threads as read</source>
        <comment>Mark {count} thread as read</comment>
        <translation>
            <numerusform>Marquer {count} conversation comme lue</numerusform>
            <numerusform>Marquer {count} conversations comme lues</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Move {count} threads to a project…</source>
        <comment>Move {count} thread to a project…</comment>
        <translation>
            <numerusform>Déplacer {count} conversation vers un projet…</numerusform>
            <numerusform>Déplacer {count} conversations vers un projet…</numerusform>
        </translation>
    </message>
    <message>
        <source>Tags…</source>
        <translation>Étiquettes…</translation>
    </message>
    <message numerus="yes">
        <source>Export {count} threads…</source>
        <comment>Export {count} thread…</comment>
        <translation>
            <numerusform>Exporter {count} conversation…</numerusform>
            <numerusform>Exporter {count} conversations…</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads</source>
        <comment>Delete {count} thread</comment>
        <translation>
            <numerusform>Supprimer {count} conversation</numerusform>
            <numerusform>Supprimer {count} conversations</numerusform>
        </translation>
    </message>
    <message>
        <source>Sort by last activity</source>
        <translation>Trier par dernière activité</translation>
    </message>
    <message>
        <source>Sort by name</source>
        <translation>Trier par nom</translation>
    </message>
    <message>
        <source>Group by date</source>
        <translation>Regrouper par date</translation>
    </message>
    <message>
        <source>Group by project</source>
        <translation>Regrouper par projet</translation>
    </message>
    <message>
        <source>Show one tag</source>
        <translation>Afficher une seule étiquette</translation>
    </message>
    <message>
        <source>All threads</source>
        <translation>Toutes les conversations</translation>
    </message>
    <message>
        <source>Delete for good…</source>
        <translation>Supprimer définitivement…</translation>
    </message>
    <message numerus="yes">
        <source>Restore {count} threads</source>
        <comment>Restore {count} thread</comment>
        <translation>
            <numerusform>Restaurer {count} conversation</numerusform>
            <numerusform>Restaurer {count} conversations</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads for good…</source>
        <comment>Delete {count} thread for good…</comment>
        <translation>
            <numerusform>Supprimer définitivement {count} conversation…</numerusform>
            <numerusform>Supprimer définitivement {count} conversations…</numerusform>
        </translation>
    </message>
    <message>
        <source>Unpin</source>
        <comment>thread</comment>
        <translation>Désépingler</translation>
    </message>
    <message>
        <source>Pin</source>
        <comment>thread</comment>
        <translation>Épingler</translation>
    </message>
    <message numerus="yes">
        <source>Unpin {count} threads</source>
        <comment>Unpin {count} thread</comment>
        <translation>
            <numerusform>Désépingler {count} conversation</numerusform>
            <numerusform>Désépingler {count} conversations</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Pin {count} threads</source>
        <comment>Pin {count} thread</comment>
        <translation>
            <numerusform>Épingler {count} conversation</numerusform>
            <numerusform>Épingler {count} conversations</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Move {count} threads out of the archive</source>
        <comment>Move {count} thread out of the archive</comment>
        <translation>
            <numerusform>Sortir {count} conversation des archives</numerusform>
            <numerusform>Sortir {count} conversations des archives</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Archive {count} threads</source>
        <comment>Archive {count} thread</comment>
        <translation>
            <numerusform>Archiver {count} conversation</numerusform>
            <numerusform>Archiver {count} conversations</numerusform>
        </translation>
    </message>
    <message>
        <source>Project {name}, {shared}</source>
        <translation>Projet {name}, {shared}</translation>
    </message>
    <message>
        <source>Opens the list of projects</source>
        <translation>Ouvre la liste des projets</translation>
    </message>
    <message>
        <source>deleted {when}</source>
        <translation>suppression&#xa0;: {when}</translation>
    </message>
    <message numerus="yes">
        <source>{count} unread</source>
        <comment>{count} unread</comment>
        <translation>
            <numerusform>{count} non lu</numerusform>
            <numerusform>{count} non lus</numerusform>
        </translation>
    </message>
    <message>
        <source>tagged {tags}</source>
        <translation>étiquetée {tags}</translation>
    </message>
    <message>
        <source>pinned</source>
        <comment>thread</comment>
        <translation>épinglée</translation>
    </message>
    <message>
        <source>answer is being written</source>
        <translation>réponse en cours d’écriture</translation>
    </message>
    <message>
        <source>Marked threads</source>
        <translation>Conversations cochées</translation>
    </message>
    <message>
        <source>Mark nothing</source>
        <translation>Tout décocher</translation>
    </message>
    <message numerus="yes">
        <source>{count} marked</source>
        <comment>{count} marked</comment>
        <translation>
            <numerusform>{count} cochée</numerusform>
            <numerusform>{count} cochées</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads are marked</source>
        <comment>{count} thread is marked</comment>
        <translation>
            <numerusform>{count} conversation est cochée</numerusform>
            <numerusform>{count} conversations sont cochées</numerusform>
        </translation>
    </message>
    <message>
        <source>Sidebar</source>
        <translation>Panneau latéral</translation>
    </message>
    <message>
        <source>New thread (Ctrl+N)</source>
        <translation>Nouvelle conversation (Ctrl+N)</translation>
    </message>
    <message>
        <source>Settings (Ctrl+,)</source>
        <translation>Paramètres (Ctrl+,)</translation>
    </message>
    <message>
        <source>Threads, archive or trash</source>
        <translation>Conversations, archives ou corbeille</translation>
    </message>
    <message>
        <source>Opening…</source>
        <translation>Ouverture…</translation>
    </message>
    <message>
        <source>Status: {text}</source>
        <translation>État&#xa0;: {text}</translation>
    </message>
    <message>
        <source>{what}: {text}</source>
        <translation>{what}&#xa0;: {text}</translation>
    </message>
    <message>
        <source>Title of the thread</source>
        <translation>Titre de la conversation</translation>
    </message>
    <message>
        <source>No thread here has the tag “{tag}”.</source>
        <translation>Aucune conversation ici n’a l’étiquette «&#xa0;{tag}&#xa0;».</translation>
    </message>
    <message>
        <source>Nothing is archived.</source>
        <translation>Rien n’est archivé.</translation>
    </message>
    <message numerus="yes">
        <source>No thread is in the trash. Deleted threads and messages stay here for {count} days.</source>
        <comment>No thread is in the trash. Deleted threads and messages stay here for {count} day.</comment>
        <translation>
            <numerusform>Aucune conversation n’est dans la corbeille. Les conversations et messages supprimés y restent {count} jour.</numerusform>
            <numerusform>Aucune conversation n’est dans la corbeille. Les conversations et messages supprimés y restent {count} jours.</numerusform>
        </translation>
    </message>
    <message>
        <source>No threads in this project yet. Type a question to begin the first.</source>
        <translation>Pas encore de conversation dans ce projet. Saisissez une question pour commencer la première.</translation>
    </message>
    <message>
        <source>No threads yet. Type a question to begin the first.</source>
        <translation>Pas encore de conversation. Saisissez une question pour commencer la première.</translation>
    </message>
    <message>
        <source>{list} · back to threads</source>
        <translation>{list} · retour aux conversations</translation>
    </message>
    <message>
        <source>{list} with “{tag}” · show all</source>
        <translation>{list} avec «&#xa0;{tag}&#xa0;» · tout afficher</translation>
    </message>
    <message>
        <source>{name}. {remark}</source>
        <translation>{name}. {remark}</translation>
    </message>
    <message>
        <source>Image</source>
        <translation>Image</translation>
    </message>
    <message>
        <source>Diagram</source>
        <translation>Diagramme</translation>
    </message>
    <message>
        <source>Attached: {file}</source>
        <translation>Joint&#xa0;: {file}</translation>
    </message>
    <message>
        <source>New messages begin here</source>
        <translation>Les nouveaux messages commencent ici</translation>
    </message>
    <message>
        <source>Message tools</source>
        <translation>Outils du message</translation>
    </message>
    <message>
        <source>Formula {text}</source>
        <translation>Formule {text}</translation>
    </message>
    <message>
        <source>Heading level {level}</source>
        <translation>Titre de niveau {level}</translation>
    </message>
    <message>
        <source>List level {level}</source>
        <translation>Liste de niveau {level}</translation>
    </message>
    <message>
        <source>Not fetched, from {host}</source>
        <translation>Non récupérée, de {host}</translation>
    </message>
    <message>
        <source>{column}: {words}</source>
        <translation>{column}&#xa0;: {words}</translation>
    </message>
    <message>
        <source>Column {column}</source>
        <translation>Colonne {column}</translation>
    </message>
    <message>
        <source>Row {number}, column {column}</source>
        <translation>Ligne {number}, colonne {column}</translation>
    </message>
    <message>
        <source>Transcript</source>
        <translation>Fil de la conversation</translation>
    </message>
    <message>
        <source>The first {most_messages} messages were copied.</source>
        <translation>Les {most_messages} premiers messages ont été copiés.</translation>
    </message>
    <message>
        <source>{weekday}, {moment} {zone}</source>
        <translation>{weekday} {moment} {zone}</translation>
    </message>
    <message>
        <source>{seconds} s</source>
        <translation>{seconds}&#xa0;s</translation>
    </message>
    <message>
        <source>{minutes} min {seconds} s</source>
        <translation>{minutes}&#xa0;min {seconds}&#xa0;s</translation>
    </message>
    <message>
        <source>It is not an image that can be shown.</source>
        <translation>Ce n’est pas une image affichable.</translation>
    </message>
    <message>
        <source>It has too many pixels.</source>
        <translation>Elle a trop de pixels.</translation>
    </message>
    <message>
        <source>It is damaged or too large.</source>
        <translation>Elle est endommagée ou trop grande.</translation>
    </message>
    <message>
        <source>The file is not there.</source>
        <translation>Le fichier est introuvable.</translation>
    </message>
    <message>
        <source>It is larger than {limit} MB.</source>
        <translation>Il dépasse {limit}&#xa0;Mo.</translation>
    </message>
    <message>
        <source>The file cannot be read.</source>
        <translation>Le fichier ne peut pas être lu.</translation>
    </message>
    <message>
        <source>Column {name}: Left and Right choose another, with Shift they change its width, Enter fits all columns again</source>
        <translation>Colonne {name}&#xa0;: Gauche et Droite pour en choisir une autre, avec Maj pour changer sa largeur, Entrée pour réajuster toutes les colonnes</translation>
    </message>
    <message>
        <source>Previous match (Shift+Enter)</source>
        <translation>Résultat précédent (Maj+Entrée)</translation>
    </message>
    <message>
        <source>Next match (Enter)</source>
        <translation>Résultat suivant (Entrée)</translation>
    </message>
    <message>
        <source>Close (Esc)</source>
        <translation>Fermer (Échap)</translation>
    </message>
    <message>
        <source>{number} of {count}+</source>
        <translation>{number} sur {count}+</translation>
    </message>
    <message>
        <source>{number} of {count}</source>
        <translation>{number} sur {count}</translation>
    </message>
    <message>
        <source>{count}+ found</source>
        <translation>{count}+ trouvés</translation>
    </message>
    <message>
        <source>Match {place}</source>
        <translation>Résultat {place}</translation>
    </message>
    <message numerus="yes">
        <source>{count} found, match {place}</source>
        <comment>{count} found, match {place}</comment>
        <translation>
            <numerusform>{count} trouvé, résultat {place}</numerusform>
            <numerusform>{count} trouvés, résultat {place}</numerusform>
        </translation>
    </message>
    <message>
        <source>{action}: {reason}</source>
        <translation>{action}&#xa0;: {reason}</translation>
    </message>
    <message>
        <source>New file</source>
        <translation>Nouveau fichier</translation>
    </message>
    <message>
        <source>Change to a file</source>
        <translation>Changement d’un fichier</translation>
    </message>
    <message>
        <source>Removal of a file</source>
        <translation>Suppression d’un fichier</translation>
    </message>
    <message>
        <source>Proposed</source>
        <translation>Proposé</translation>
    </message>
    <message>
        <source>Applied</source>
        <translation>Appliqué</translation>
    </message>
    <message>
        <source>Rejected</source>
        <translation>Rejeté</translation>
    </message>
    <message>
        <source>Outdated: the file was changed since</source>
        <translation>Périmé&#xa0;: le fichier a été modifié depuis</translation>
    </message>
    <message>
        <source>Applied; the file was changed since</source>
        <translation>Appliqué&#xa0;; le fichier a été modifié depuis</translation>
    </message>
    <message>
        <source>The project has no such folder here</source>
        <translation>Le projet n’a pas ce dossier ici</translation>
    </message>
    <message>
        <source>Proposed elsewhere, so it cannot be applied here</source>
        <translation>Proposé ailleurs, ne peut donc pas être appliqué ici</translation>
    </message>
    <message>
        <source>Edit the change to {file}</source>
        <translation>Modifier le changement dans {file}</translation>
    </message>
    <message>
        <source>Apply…</source>
        <translation>Appliquer…</translation>
    </message>
    <message>
        <source>Apply the change to {file}</source>
        <translation>Appliquer le changement dans {file}</translation>
    </message>
    <message>
        <source>Reject the change to {file}</source>
        <translation>Rejeter le changement dans {file}</translation>
    </message>
    <message>
        <source>Undo the change to {file}</source>
        <translation>Annuler le changement dans {file}</translation>
    </message>
    <message>
        <source>its beginning</source>
        <translation>son début</translation>
    </message>
    <message>
        <source>Do not wrap lines</source>
        <translation>Ne pas renvoyer à la ligne</translation>
    </message>
    <message>
        <source>Wrap lines</source>
        <translation>Renvoyer à la ligne</translation>
    </message>
    <message>
        <source>Open this page in your browser</source>
        <translation>Ouvrir cette page dans votre navigateur</translation>
    </message>
    <message numerus="yes">
        <source>Show all {count} lines</source>
        <comment>Show the {count} line</comment>
        <translation>
            <numerusform>Afficher la ligne</numerusform>
            <numerusform>Afficher les {count} lignes</numerusform>
        </translation>
    </message>
    <message>
        <source>Show fewer lines</source>
        <translation>Afficher moins de lignes</translation>
    </message>
    <message>
        <source>Copy code</source>
        <translation>Copier le code</translation>
    </message>
    <message>
        <source>Save code…</source>
        <translation>Enregistrer le code…</translation>
    </message>
    <message>
        <source>Open code as artifact</source>
        <translation>Ouvrir le code comme artefact</translation>
    </message>
    <message>
        <source>Copy {language} code</source>
        <translation>Copier le code {language}</translation>
    </message>
    <message>
        <source>Save {language} code…</source>
        <translation>Enregistrer le code {language}…</translation>
    </message>
    <message>
        <source>Open {language} code as artifact</source>
        <translation>Ouvrir le code {language} comme artefact</translation>
    </message>
    <message>
        <source>Show picture</source>
        <translation>Afficher l’image</translation>
    </message>
    <message>
        <source>Show diagram</source>
        <translation>Afficher le diagramme</translation>
    </message>
    <message>
        <source>Show source</source>
        <translation>Afficher la source</translation>
    </message>
    <message>
        <source>Markdown</source>
        <translation>Markdown</translation>
    </message>
    <message>
        <source>Document</source>
        <translation>Document</translation>
    </message>
    <message>
        <source>Slides</source>
        <translation>Présentation</translation>
    </message>
    <message>
        <source>Book</source>
        <translation>Livre</translation>
    </message>
    <message>
        <source>Mail</source>
        <translation>E-mail</translation>
    </message>
    <message>
        <source>Archive</source>
        <comment>file</comment>
        <translation>Archive</translation>
    </message>
    <message>
        <source>is being fetched from the team</source>
        <translation>en cours de récupération depuis l’équipe</translation>
    </message>
    <message>
        <source>missing on the team&apos;s server; tried again later</source>
        <translation>manque sur le serveur de l’équipe&#xa0;; nouvel essai plus tard</translation>
    </message>
    <message>
        <source>not sent</source>
        <translation>non envoyé</translation>
    </message>
    <message>
        <source>sent in part</source>
        <translation>envoyé en partie</translation>
    </message>
    <message>
        <source>Open {file}</source>
        <translation>Ouvrir {file}</translation>
    </message>
    <message>
        <source>Save a copy of {file}</source>
        <translation>Enregistrer une copie de {file}</translation>
    </message>
    <message>
        <source>Show in its folder: {file}</source>
        <translation>Afficher dans son dossier&#xa0;: {file}</translation>
    </message>
    <message>
        <source>Copy {file}</source>
        <translation>Copier {file}</translation>
    </message>
    <message>
        <source>Open as artifact: {file}</source>
        <translation>Ouvrir comme artefact&#xa0;: {file}</translation>
    </message>
    <message>
        <source>{format} file</source>
        <translation>Fichier {format}</translation>
    </message>
    <message>
        <source>Hide {name}</source>
        <translation>Masquer {name}</translation>
    </message>
    <message>
        <source>Show {name}</source>
        <translation>Afficher {name}</translation>
    </message>
    <message>
        <source>asked by {name}</source>
        <translation>demandé par {name}</translation>
    </message>
    <message>
        <source>Load image from {host}</source>
        <translation>Charger l’image de {host}</translation>
    </message>
    <message>
        <source>Load image from {host} in your own network</source>
        <translation>Charger l’image de {host} dans votre propre réseau</translation>
    </message>
    <message>
        <source>Load it anyway</source>
        <translation>La charger quand même</translation>
    </message>
    <message>
        <source>Load image</source>
        <translation>Charger l’image</translation>
    </message>
    <message>
        <source>from {host}</source>
        <translation>de {host}</translation>
    </message>
    <message>
        <source>not shown</source>
        <translation>non affichée</translation>
    </message>
    <message numerus="yes">
        <source>Summary of {count} messages ends here · out of date and not sent · Show</source>
        <comment>Summary of {count} message ends here · out of date and not sent · Show</comment>
        <translation>
            <numerusform>Le résumé de {count} message se termine ici · périmé et non envoyé · Afficher</numerusform>
            <numerusform>Le résumé de {count} messages se termine ici · périmé et non envoyé · Afficher</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Show the summary of {count} messages, out of date and not sent</source>
        <comment>Show the summary of {count} message, out of date and not sent</comment>
        <translation>
            <numerusform>Afficher le résumé de {count} message, périmé et non envoyé</numerusform>
            <numerusform>Afficher le résumé de {count} messages, périmé et non envoyé</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Summarised up to here · {count} messages · Show</source>
        <comment>Summarised up to here · {count} message · Show</comment>
        <translation>
            <numerusform>Résumé jusqu’ici · {count} message · Afficher</numerusform>
            <numerusform>Résumé jusqu’ici · {count} messages · Afficher</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Show the summary of {count} messages up to here</source>
        <comment>Show the summary of {count} message up to here</comment>
        <translation>
            <numerusform>Afficher le résumé de {count} message jusqu’ici</numerusform>
            <numerusform>Afficher le résumé de {count} messages jusqu’ici</numerusform>
        </translation>
    </message>
    <message>
        <source>Note, which the model sees</source>
        <translation>Note, que le modèle voit</translation>
    </message>
    <message>
        <source>Note, pinned into the context</source>
        <translation>Note, fixée dans le contexte</translation>
    </message>
    <message>
        <source>Note, not sent to the model</source>
        <translation>Note, non envoyée au modèle</translation>
    </message>
    <message>
        <source>Edited by {person}, pinned into the context</source>
        <translation>Modifié par {person}, fixé dans le contexte</translation>
    </message>
    <message>
        <source>Edited by {person}, excluded from the context</source>
        <translation>Modifié par {person}, exclu du contexte</translation>
    </message>
    <message>
        <source>Edited by {person}</source>
        <translation>Modifié par {person}</translation>
    </message>
    <message>
        <source>Wide formula: Left and Right move it</source>
        <translation>Formule large&#xa0;: Gauche et Droite la font défiler</translation>
    </message>
    <message>
        <source>Trying again…</source>
        <translation>Nouvel essai…</translation>
    </message>
    <message>
        <source>Trying again in {time} (attempt {attempt}).</source>
        <translation>Nouvel essai dans {time} (essai {attempt}).</translation>
    </message>
    <message>
        <source>This picture is being fetched from the team.</source>
        <translation>Cette image est en cours de récupération depuis l’équipe.</translation>
    </message>
    <message>
        <source>This picture is missing on the team&apos;s server. ChatDesk tries again later.</source>
        <translation>Cette image manque sur le serveur de l’équipe. ChatDesk réessaiera plus tard.</translation>
    </message>
    <message>
        <source>Copy table</source>
        <translation>Copier le tableau</translation>
    </message>
    <message numerus="yes">
        <source>Show all {count} rows</source>
        <comment>Show the {count} row</comment>
        <translation>
            <numerusform>Afficher la ligne</numerusform>
            <numerusform>Afficher les {count} lignes</numerusform>
        </translation>
    </message>
    <message>
        <source>Show fewer rows</source>
        <translation>Afficher moins de lignes</translation>
    </message>
    <message>
        <source>Waiting for {who}, {duration}</source>
        <translation>Attente de {who}, {duration}</translation>
    </message>
    <message numerus="yes">
        <source>{count} new messages</source>
        <comment>{count} new message</comment>
        <translation>
            <numerusform>{count} nouveau message</numerusform>
            <numerusform>{count} nouveaux messages</numerusform>
        </translation>
    </message>
    <message>
        <source>Jump to newest</source>
        <translation>Aller au plus récent</translation>
    </message>
    <message>
        <source>Jump to newest, {new}</source>
        <translation>Aller au plus récent, {new}</translation>
    </message>
    <message>
        <source>This question has no answer.</source>
        <translation>Cette question n’a pas de réponse.</translation>
    </message>
    <message>
        <source>More</source>
        <translation>Plus</translation>
    </message>
    <message>
        <source>{count} from cache</source>
        <translation>{count} du cache</translation>
    </message>
    <message>
        <source>{count} cached</source>
        <translation>{count} en cache</translation>
    </message>
    <message>
        <source>you can only read this project</source>
        <translation>vous ne pouvez que lire ce projet</translation>
    </message>
    <message>
        <source>You</source>
        <translation>Vous</translation>
    </message>
    <message>
        <source>System</source>
        <translation>Système</translation>
    </message>
    <message>
        <source>{moment}, as the author&apos;s computer says; it came to the team {accepted}</source>
        <translation>{moment} selon l’ordinateur de l’auteur&#xa0;; reçu par l’équipe&#xa0;: {accepted}</translation>
    </message>
    <message>
        <source>version {number} of {count}, by {person}</source>
        <translation>version {number} sur {count}, par {person}</translation>
    </message>
    <message>
        <source>{person} wrote this</source>
        <translation>{person} a écrit ceci</translation>
    </message>
    <message>
        <source>Try now</source>
        <translation>Essayer maintenant</translation>
    </message>
    <message>
        <source>Choose another model…</source>
        <translation>Choisir un autre modèle…</translation>
    </message>
    <message>
        <source>Choose a larger model…</source>
        <translation>Choisir un modèle plus grand…</translation>
    </message>
    <message>
        <source>Edit the message</source>
        <translation>Modifier le message</translation>
    </message>
    <message>
        <source>Shorten</source>
        <translation>Raccourcir</translation>
    </message>
    <message>
        <source>Change the key…</source>
        <translation>Changer la clé…</translation>
    </message>
    <message>
        <source>Check the key…</source>
        <translation>Vérifier la clé…</translation>
    </message>
    <message>
        <source>Open the provider…</source>
        <translation>Ouvrir le fournisseur…</translation>
    </message>
    <message>
        <source>Choose a larger model</source>
        <translation>Choisir un modèle plus grand</translation>
    </message>
    <message>
        <source>Send without the image</source>
        <translation>Envoyer sans l’image</translation>
    </message>
    <message>
        <source>Send as attachment excerpt</source>
        <translation>Envoyer comme extrait joint</translation>
    </message>
    <message>
        <source>Edit the system prompt</source>
        <translation>Modifier le prompt système</translation>
    </message>
    <message>
        <source>Include it and ask</source>
        <translation>L’inclure et poser la question</translation>
    </message>
    <message>
        <source>Send anyway once</source>
        <translation>Envoyer quand même cette fois</translation>
    </message>
    <message>
        <source>Raise limit…</source>
        <translation>Relever la limite…</translation>
    </message>
    <message>
        <source>Something went wrong. Your message is kept.</source>
        <translation>Un problème est survenu. Votre message est conservé.</translation>
    </message>
    <message>
        <source>{person} stopped this answer.</source>
        <translation>{person} a arrêté cette réponse.</translation>
    </message>
    <message>
        <source>You stopped this answer.</source>
        <translation>Vous avez arrêté cette réponse.</translation>
    </message>
    <message>
        <source>The answer reached its maximum length.</source>
        <translation>La réponse a atteint sa longueur maximale.</translation>
    </message>
    <message>
        <source>ChatDesk of {person} was closed before this answer was complete. Everything that had arrived is kept.</source>
        <translation>Le ChatDesk de {person} a été fermé avant la fin de cette réponse. Tout ce qui a été reçu est conservé.</translation>
    </message>
    <message>
        <source>ChatDesk was closed before this answer was complete. Everything that had arrived is kept.</source>
        <translation>ChatDesk a été fermé avant la fin de cette réponse. Tout ce qui a été reçu est conservé.</translation>
    </message>
    <message numerus="yes">
        <source>ChatDesk was closed while {count} calls waited for your approval. Nothing was run.</source>
        <comment>ChatDesk was closed while {count} call waited for your approval. Nothing was run.</comment>
        <translation>
            <numerusform>ChatDesk a été fermé pendant que {count} appel attendait votre accord. Rien n’a été exécuté.</numerusform>
            <numerusform>ChatDesk a été fermé pendant que {count} appels attendaient votre accord. Rien n’a été exécuté.</numerusform>
        </translation>
    </message>
    <message>
        <source>Decide…</source>
        <translation>Décider…</translation>
    </message>
    <message>
        <source>ChatDesk ended while {tool} ran. Nobody knows what it did, and it is not repeated unless you say so.</source>
        <translation>ChatDesk s’est arrêté pendant l’exécution de {tool}. Personne ne sait ce qu’il a fait, et il ne sera relancé que si vous le demandez.</translation>
    </message>
    <message numerus="yes">
        <source>ChatDesk ended while {count} calls ran. Nobody knows what it did, and it is not repeated unless you say so.</source>
        <comment>ChatDesk ended while {count} call ran. Nobody knows what it did, and it is not repeated unless you say so.</comment>
        <translation>
            <numerusform>ChatDesk s’est arrêté pendant l’exécution de {count} appel. Personne ne sait ce qu’il a fait, et il ne sera relancé que si vous le demandez.</numerusform>
            <numerusform>ChatDesk s’est arrêté pendant l’exécution de {count} appels. Personne ne sait ce qu’ils ont fait, et ils ne seront relancés que si vous le demandez.</numerusform>
        </translation>
    </message>
    <message>
        <source>Run again…</source>
        <translation>Exécuter à nouveau…</translation>
    </message>
    <message>
        <source>Try at {time}</source>
        <translation>Essai à {time}</translation>
    </message>
    <message>
        <source>This text has more than 1 MB, so it is not formatted. Copy it to read it elsewhere.</source>
        <translation>Ce texte dépasse 1&#xa0;Mo, il n’est donc pas mis en forme. Copiez-le pour le lire ailleurs.</translation>
    </message>
    <message>
        <source>Thinking…</source>
        <translation>Réflexion…</translation>
    </message>
    <message>
        <source>Thought for {time}</source>
        <translation>A réfléchi pendant {time}</translation>
    </message>
    <message>
        <source>It is on its way…</source>
        <translation>En cours de réception…</translation>
    </message>
    <message>
        <source>{name}: {state}</source>
        <translation>{name}&#xa0;: {state}</translation>
    </message>
    <message>
        <source>under a second</source>
        <translation>moins d’une seconde</translation>
    </message>
    <message>
        <source>pinned into the context</source>
        <translation>fixé dans le contexte</translation>
    </message>
    <message>
        <source>excluded from the context</source>
        <translation>exclu du contexte</translation>
    </message>
    <message numerus="yes">
        <source>{count} code blocks</source>
        <comment>{count} code block</comment>
        <translation>
            <numerusform>{count} bloc de code</numerusform>
            <numerusform>{count} blocs de code</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tables</source>
        <comment>{count} table</comment>
        <translation>
            <numerusform>{count} tableau</numerusform>
            <numerusform>{count} tableaux</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} formulas</source>
        <comment>{count} formula</comment>
        <translation>
            <numerusform>{count} formule</numerusform>
            <numerusform>{count} formules</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} images</source>
        <comment>{count} image</comment>
        <translation>
            <numerusform>{count} image</numerusform>
            <numerusform>{count} images</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} diagrams</source>
        <comment>{count} diagram</comment>
        <translation>
            <numerusform>{count} diagramme</numerusform>
            <numerusform>{count} diagrammes</numerusform>
        </translation>
    </message>
    <message>
        <source>bullet</source>
        <translation>puce</translation>
    </message>
    <message>
        <source>not done</source>
        <translation>pas fait</translation>
    </message>
    <message>
        <source>done</source>
        <translation>fait</translation>
    </message>
    <message>
        <source>definition</source>
        <translation>définition</translation>
    </message>
    <message>
        <source>edited by {person}</source>
        <translation>modifié par {person}</translation>
    </message>
    <message>
        <source>asked by {person}</source>
        <translation>demandé par {person}</translation>
    </message>
    <message>
        <source>message {number} of {count}</source>
        <translation>message {number} sur {count}</translation>
    </message>
    <message>
        <source>note</source>
        <translation>note</translation>
    </message>
    <message>
        <source>part {number} of {count}</source>
        <translation>partie {number} sur {count}</translation>
    </message>
    <message numerus="yes">
        <source>{count} lines</source>
        <comment>{count} line</comment>
        <translation>
            <numerusform>{count} ligne</numerusform>
            <numerusform>{count} lignes</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Table, {count} columns</source>
        <comment>Table, {count} column</comment>
        <translation>
            <numerusform>Tableau, {count} colonne</numerusform>
            <numerusform>Tableau, {count} colonnes</numerusform>
        </translation>
    </message>
    <message>
        <source>{table}, rows {first} to {last} of {count}</source>
        <translation>{table}, lignes {first} à {last} sur {count}</translation>
    </message>
    <message>
        <source>Back to the text</source>
        <translation>Retour au texte</translation>
    </message>
    <message>
        <source>Footnote {number}</source>
        <translation>Note de bas de page {number}</translation>
    </message>
    <message>
        <source>{author} is answering</source>
        <translation>{author} répond</translation>
    </message>
    <message>
        <source>{author} has answered</source>
        <translation>{author} a répondu</translation>
    </message>
    <message>
        <source>The answer was stopped</source>
        <translation>La réponse a été arrêtée</translation>
    </message>
    <message>
        <source>The answer is not complete</source>
        <translation>La réponse n’est pas complète</translation>
    </message>
    <message>
        <source>Image, {alt}</source>
        <translation>Image, {alt}</translation>
    </message>
    <message>
        <source>day</source>
        <translation>jour</translation>
    </message>
    <message>
        <source>week</source>
        <translation>semaine</translation>
    </message>
    <message>
        <source>month</source>
        <translation>mois</translation>
    </message>
    <message>
        <source>model</source>
        <translation>modèle</translation>
    </message>
    <message>
        <source>project</source>
        <translation>projet</translation>
    </message>
    <message>
        <source>kind</source>
        <translation>type</translation>
    </message>
    <message>
        <source>Chart of usage</source>
        <translation>Graphique de l’utilisation</translation>
    </message>
    <message>
        <source>Chart of {measure} by {rows}</source>
        <translation>Graphique&#xa0;: {measure} par {rows}</translation>
    </message>
    <message>
        <source>Arrow keys go from bar to bar; the table below has the same numbers.</source>
        <translation>Les flèches passent d’une barre à l’autre&#xa0;; le tableau en dessous contient les mêmes nombres.</translation>
    </message>
    <message>
        <source>{row}: {amount}</source>
        <translation>{row}&#xa0;: {amount}</translation>
    </message>
    <message>
        <source>No requests in these days.</source>
        <translation>Aucune requête sur cette période.</translation>
    </message>
    <message numerus="yes">
        <source>In all {amount} in {count} rows. The largest is {row} with {most}.</source>
        <comment>In all {amount} in {count} row. The largest is {row} with {most}.</comment>
        <translation>
            <numerusform>En tout, {amount} sur {count} ligne. La plus grande est {row} avec {most}.</numerusform>
            <numerusform>En tout, {amount} sur {count} lignes. La plus grande est {row} avec {most}.</numerusform>
        </translation>
    </message>
    <message>
        <source>no price known</source>
        <translation>aucun prix connu</translation>
    </message>
    <message numerus="yes">
        <source>About {count} tokens in {requests}.</source>
        <comment>About {count} token in {requests}.</comment>
        <translation>
            <numerusform>Environ {count} token en {requests}.</numerusform>
            <numerusform>Environ {count} tokens en {requests}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens in {requests}.</source>
        <comment>{count} token in {requests}.</comment>
        <translation>
            <numerusform>{count} token en {requests}.</numerusform>
            <numerusform>{count} tokens en {requests}.</numerusform>
        </translation>
    </message>
    <message>
        <source>Week of {day}</source>
        <translation>Semaine du {day}</translation>
    </message>
    <message>
        <source>{weekday}, {day}</source>
        <translation>{weekday} {day}</translation>
    </message>
    <message>
        <source>cost</source>
        <translation>coût</translation>
    </message>
    <message>
        <source>Requests</source>
        <translation>Requêtes</translation>
    </message>
    <message>
        <source>requests</source>
        <translation>requêtes</translation>
    </message>
    <message>
        <source>7 days</source>
        <translation>7 jours</translation>
    </message>
    <message>
        <source>All</source>
        <translation>Tout</translation>
    </message>
    <message>
        <source>Own days</source>
        <translation>Autre période</translation>
    </message>
    <message>
        <source>By day</source>
        <translation>Par jour</translation>
    </message>
    <message>
        <source>By model</source>
        <translation>Par modèle</translation>
    </message>
    <message>
        <source>By project</source>
        <translation>Par projet</translation>
    </message>
    <message>
        <source>By kind</source>
        <translation>Par type</translation>
    </message>
    <message>
        <source>Days</source>
        <comment>period</comment>
        <translation>Période</translation>
    </message>
    <message>
        <source>First day</source>
        <translation>Premier jour</translation>
    </message>
    <message>
        <source>Last day</source>
        <translation>Dernier jour</translation>
    </message>
    <message>
        <source>What the bars show</source>
        <translation>Ce que montrent les barres</translation>
    </message>
    <message>
        <source>Export CSV…</source>
        <translation>Exporter en CSV…</translation>
    </message>
    <message>
        <source>Cost: {cost}.</source>
        <translation>Coût&#xa0;: {cost}.</translation>
    </message>
    <message>
        <source>No price is known for these models.</source>
        <translation>Aucun prix n’est connu pour ces modèles.</translation>
    </message>
    <message numerus="yes">
        <source>≈: the tokens of {count} requests are estimates.</source>
        <comment>≈: the tokens of {count} request are estimates.</comment>
        <translation>
            <numerusform>≈&#xa0;: les tokens de {count} requête sont des estimations.</numerusform>
            <numerusform>≈&#xa0;: les tokens de {count} requêtes sont des estimations.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>No price is known for {count} requests; the cost leaves them out.</source>
        <comment>No price is known for {count} request; the cost leaves them out.</comment>
        <translation>
            <numerusform>Aucun prix n’est connu pour {count} requête&#xa0;; le coût n’en tient pas compte.</numerusform>
            <numerusform>Aucun prix n’est connu pour {count} requêtes&#xa0;; le coût n’en tient pas compte.</numerusform>
        </translation>
    </message>
    <message>
        <source>Tokens in</source>
        <translation>Tokens en entrée</translation>
    </message>
    <message>
        <source>From cache</source>
        <translation>Du cache</translation>
    </message>
    <message>
        <source>Of them read from the provider&apos;s cache</source>
        <translation>Dont lus dans le cache du fournisseur</translation>
    </message>
    <message>
        <source>Of them written to the provider&apos;s cache</source>
        <translation>Dont écrits dans le cache du fournisseur</translation>
    </message>
    <message>
        <source>Tokens out</source>
        <translation>Tokens en sortie</translation>
    </message>
    <message>
        <source>Week</source>
        <translation>Semaine</translation>
    </message>
    <message>
        <source>Month</source>
        <translation>Mois</translation>
    </message>
    <message>
        <source>Day</source>
        <translation>Jour</translation>
    </message>
    <message>
        <source>Kind</source>
        <translation>Type</translation>
    </message>
    <message>
        <source>Usage as a table</source>
        <translation>Utilisation sous forme de tableau</translation>
    </message>
    <message>
        <source>Close this notice</source>
        <translation>Fermer cet avis</translation>
    </message>
    <message>
        <source>{percent}%</source>
        <translation>{percent}&#xa0;%</translation>
    </message>
    <message>
        <source>nearly full</source>
        <translation>presque plein</translation>
    </message>
    <message>
        <source>filling up</source>
        <translation>se remplit</translation>
    </message>
    <message>
        <source>Context used: {percentage}</source>
        <translation>Contexte utilisé&#xa0;: {percentage}</translation>
    </message>
    <message>
        <source>Context of this thread</source>
        <translation>Contexte de cette conversation</translation>
    </message>
    <message>
        <source>How full the context is</source>
        <translation>Remplissage du contexte</translation>
    </message>
    <message>
        <source>Show what is sent</source>
        <translation>Afficher ce qui est envoyé</translation>
    </message>
    <message>
        <source>Explain a stack trace</source>
        <translation>Expliquer une trace d’erreur</translation>
    </message>
    <message>
        <source>Paste it; get the cause and the fix</source>
        <translation>Collez-la pour obtenir la cause et la solution</translation>
    </message>
    <message>
        <source>Explain this error. What causes it, and how do I fix it?

</source>
        <translation>Expliquez cette erreur. Qu’est-ce qui la cause, et comment la corriger&#xa0;?

</translation>
    </message>
    <message>
        <source>Summarise a document</source>
        <translation>Résumer un document</translation>
    </message>
    <message>
        <source>Drop a PDF or a text file</source>
        <translation>Déposez un PDF ou un fichier texte</translation>
    </message>
    <message>
        <source>Summarise this document: the main points first, then what is left open.</source>
        <translation>Résumez ce document&#xa0;: d’abord les points principaux, puis ce qui reste ouvert.</translation>
    </message>
    <message>
        <source>Make a comparison table</source>
        <translation>Faire un tableau comparatif</translation>
    </message>
    <message>
        <source>Options against criteria</source>
        <translation>Options et critères</translation>
    </message>
    <message>
        <source>Compare these options in a table, by cost, effort and risk:
- </source>
        <translation>Comparez ces options dans un tableau, par coût, effort et risque&#xa0;:
- </translation>
    </message>
    <message>
        <source>From a ChatGPT or Claude export</source>
        <translation>Depuis un export de ChatGPT ou Claude</translation>
    </message>
    <message>
        <source>What ChatDesk can do</source>
        <translation>Ce que ChatDesk sait faire</translation>
    </message>
    <message>
        <source>See an answer</source>
        <translation>Voir une réponse</translation>
    </message>
    <message>
        <source>With code, a table and a formula</source>
        <translation>Avec du code, un tableau et une formule</translation>
    </message>
    <message>
        <source>A key, or a server of your own</source>
        <translation>Une clé, ou votre propre serveur</translation>
    </message>
    <message>
        <source>See what goes with it, and save it</source>
        <translation>Voir ce qui y est joint, et l’enregistrer</translation>
    </message>
    <message>
        <source>Nothing is changed</source>
        <translation>Rien n’est modifié</translation>
    </message>
    <message>
        <source>See what is in it first</source>
        <translation>Voir d’abord ce qu’elle contient</translation>
    </message>
    <message>
        <source>What are you working on?</source>
        <translation>Sur quoi travaillez-vous&#xa0;?</translation>
    </message>
    <message>
        <source>Your threads could not be opened</source>
        <translation>Vos conversations n’ont pas pu être ouvertes</translation>
    </message>
    <message>
        <source>Opening your threads…</source>
        <translation>Ouverture de vos conversations…</translation>
    </message>
    <message>
        <source>If you restore a backup, the database as it is now is kept.</source>
        <translation>Si vous restaurez une sauvegarde, la base telle qu’elle est maintenant est conservée.</translation>
    </message>
    <message>
        <source>{size} KB</source>
        <translation>{size}&#xa0;Ko</translation>
    </message>
    <message>
        <source>{size} MB</source>
        <translation>{size}&#xa0;Mo</translation>
    </message>
    <message>
        <source>{first} is typing…</source>
        <translation>{first} écrit…</translation>
    </message>
    <message>
        <source>{first} and {second} are typing…</source>
        <translation>{first} et {second} écrivent…</translation>
    </message>
    <message numerus="yes">
        <source>{count} people are typing…</source>
        <comment>{count} person is typing…</comment>
        <translation>
            <numerusform>{count} personne écrit…</numerusform>
            <numerusform>{count} personnes écrivent…</numerusform>
        </translation>
    </message>
    <message>
        <source>Here now: {names}</source>
        <translation>Ici maintenant&#xa0;: {names}</translation>
    </message>
    <message>
        <source>Temporary</source>
        <translation>Temporaire</translation>
    </message>
    <message>
        <source>Nothing of this chat is stored. It is gone when ChatDesk closes, unless you keep it.</source>
        <translation>Rien de cette discussion n’est enregistré. Elle disparaît à la fermeture de ChatDesk, sauf si vous la gardez.</translation>
    </message>
    <message>
        <source>Store this chat with all its messages</source>
        <translation>Enregistrer cette discussion avec tous ses messages</translation>
    </message>
    <message>
        <source>Keep this chat</source>
        <translation>Garder cette discussion</translation>
    </message>
    <message>
        <source>Temporary. {meaning}</source>
        <translation>Temporaire. {meaning}</translation>
    </message>
    <message>
        <source>Thread header</source>
        <translation>En-tête de la conversation</translation>
    </message>
    <message>
        <source>Show the sidebar</source>
        <translation>Afficher le panneau latéral</translation>
    </message>
    <message>
        <source>Questions of this thread</source>
        <translation>Questions de cette conversation</translation>
    </message>
    <message>
        <source>More about this thread</source>
        <translation>Autres actions pour cette conversation</translation>
    </message>
    <message>
        <source>Close this chat</source>
        <translation>Fermer cette discussion</translation>
    </message>
    <message>
        <source>Thread title</source>
        <translation>Titre de la conversation</translation>
    </message>
    <message>
        <source>Paste your API key</source>
        <translation>Collez votre clé d’API</translation>
    </message>
    <message>
        <source>Show the key</source>
        <translation>Afficher la clé</translation>
    </message>
    <message>
        <source>Hide the key</source>
        <translation>Masquer la clé</translation>
    </message>
    <message>
        <source>Opens {url} in the browser.</source>
        <translation>Ouvre {url} dans le navigateur.</translation>
    </message>
    <message>
        <source>{others} and {last}</source>
        <translation>{others} et {last}</translation>
    </message>
    <message>
        <source>, </source>
        <translation>, </translation>
    </message>
    <message>
        <source>Choose a model</source>
        <translation>Choisir un modèle</translation>
    </message>
    <message>
        <source>Up and Down move, Enter chooses, Ctrl+D marks a favourite.</source>
        <translation>Flèches haut et bas pour se déplacer, Entrée pour choisir, Ctrl+D pour marquer un favori.</translation>
    </message>
    <message>
        <source>Fetch the lists of models again</source>
        <translation>Récupérer à nouveau les listes de modèles</translation>
    </message>
    <message>
        <source>Add provider…</source>
        <translation>Ajouter un fournisseur…</translation>
    </message>
    <message>
        <source>No model matches.</source>
        <translation>Aucun modèle ne correspond.</translation>
    </message>
    <message>
        <source>There is no model yet. Add a provider.</source>
        <translation>Il n’y a pas encore de modèle. Ajoutez un fournisseur.</translation>
    </message>
    <message>
        <source>Marked as a favourite</source>
        <translation>Marqué comme favori</translation>
    </message>
    <message>
        <source>No longer a favourite</source>
        <translation>N’est plus un favori</translation>
    </message>
    <message>
        <source>Model: {text}</source>
        <translation>Modèle&#xa0;: {text}</translation>
    </message>
    <message>
        <source>{text}: choose another model</source>
        <translation>{text}&#xa0;: choisir un autre modèle</translation>
    </message>
    <message>
        <source>Favourites</source>
        <translation>Favoris</translation>
    </message>
    <message>
        <source>favourite</source>
        <translation>favori</translation>
    </message>
    <message>
        <source>chosen</source>
        <translation>choisi</translation>
    </message>
    <message>
        <source>Find a project</source>
        <translation>Rechercher un projet</translation>
    </message>
    <message>
        <source>open</source>
        <translation>ouvert</translation>
    </message>
    <message>
        <source>No project matches.</source>
        <translation>Aucun projet ne correspond.</translation>
    </message>
    <message>
        <source>Clear the search</source>
        <translation>Effacer la recherche</translation>
    </message>
    <message>
        <source>Border between the two chats</source>
        <translation>Bordure entre les deux discussions</translation>
    </message>
    <message>
        <source>Chat at the left</source>
        <translation>Discussion de gauche</translation>
    </message>
    <message>
        <source>Chat at the right</source>
        <translation>Discussion de droite</translation>
    </message>
    <message>
        <source>Active: commands act here</source>
        <translation>Active&#xa0;: les commandes agissent ici</translation>
    </message>
    <message>
        <source>Chats of this window</source>
        <translation>Discussions de cette fenêtre</translation>
    </message>
    <message>
        <source>Menu bar</source>
        <translation>Barre de menus</translation>
    </message>
    <message>
        <source>Show the menu bar</source>
        <translation>Afficher la barre de menus</translation>
    </message>
    <message>
        <source>Hide the menu bar</source>
        <translation>Masquer la barre de menus</translation>
    </message>
    <message>
        <source>Hide the sidebar</source>
        <translation>Masquer le panneau latéral</translation>
    </message>
    <message>
        <source>The sidebar is shown</source>
        <translation>Le panneau latéral est affiché</translation>
    </message>
    <message>
        <source>The sidebar is hidden</source>
        <translation>Le panneau latéral est masqué</translation>
    </message>
    <message>
        <source>{title} – ChatDesk</source>
        <translation>{title} – ChatDesk</translation>
    </message>
    <message>
        <source>usage: </source>
        <translation>utilisation&#xa0;: </translation>
    </message>
    <message>
        <source>positional arguments</source>
        <translation>arguments</translation>
    </message>
    <message>
        <source>options</source>
        <translation>options</translation>
    </message>
    <message>
        <source>show this help message and exit</source>
        <translation>afficher cette aide et quitter</translation>
    </message>
    <message>
        <source>show program&apos;s version number and exit</source>
        <translation>afficher la version du programme et quitter</translation>
    </message>
    <message>
        <source>%(prog)s: error: %(message)s
</source>
        <translation>%(prog)s&#xa0;: erreur&#xa0;: %(message)s
</translation>
    </message>
    <message>
        <source>argument %(argument_name)s: %(message)s</source>
        <translation>argument %(argument_name)s&#xa0;: %(message)s</translation>
    </message>
    <message>
        <source>the following arguments are required: %s</source>
        <translation>les arguments suivants sont requis&#xa0;: %s</translation>
    </message>
    <message>
        <source>one of the arguments %s is required</source>
        <translation>un des arguments %s est requis</translation>
    </message>
    <message>
        <source>expected one argument</source>
        <translation>une valeur est attendue</translation>
    </message>
    <message>
        <source>expected at most one argument</source>
        <translation>une valeur au plus est attendue</translation>
    </message>
    <message>
        <source>expected at least one argument</source>
        <translation>une valeur au moins est attendue</translation>
    </message>
    <message>
        <source>invalid choice: %(value)r (choose from %(choices)s)</source>
        <translation>choix non valide&#xa0;: %(value)r (choisir parmi %(choices)s)</translation>
    </message>
    <message>
        <source>invalid %(type)s value: %(value)r</source>
        <translation>valeur non valide (%(type)s)&#xa0;: %(value)r</translation>
    </message>
    <message>
        <source>unrecognized arguments: %s</source>
        <translation>arguments non reconnus&#xa0;: %s</translation>
    </message>
    <message>
        <source>not allowed with argument %s</source>
        <translation>non permis avec l’argument %s</translation>
    </message>
    <message>
        <source>ambiguous option: %(option)s could match %(matches)s</source>
        <translation>option ambiguë&#xa0;: %(option)s peut correspondre à %(matches)s</translation>
    </message>
    <message>
        <source>ignored explicit argument %r</source>
        <translation>valeur inattendue&#xa0;: %r</translation>
    </message>
    <message numerus="yes">
        <source>expected %s arguments</source>
        <comment>expected %s argument</comment>
        <translation>
            <numerusform>%s valeur est attendue</numerusform>
            <numerusform>%s valeurs sont attendues</numerusform>
        </translation>
    </message>
    <message>
        <source>invited</source>
        <translation>invité</translation>
    </message>
    <message>
        <source>active</source>
        <translation>actif</translation>
    </message>
    <message>
        <source>removed</source>
        <translation>retiré</translation>
    </message>
    <message>
        <source>warning</source>
        <translation>avertissement</translation>
    </message>
    <message>
        <source>Recovered messages</source>
        <translation>Messages récupérés</translation>
    </message>
    <message>
        <source>Not taken by the team</source>
        <translation>Non accepté par l’équipe</translation>
    </message>
    <message>
        <source>{title} (branch)</source>
        <translation>{title} (branche)</translation>
    </message>
    <message>
        <source>Server at port {port}</source>
        <translation>Serveur sur le port {port}</translation>
    </message>
    <message>
        <source>It answers</source>
        <translation>Il répond</translation>
    </message>
    <message>
        <source>Lets ChatDesk search</source>
        <translation>Autorise les recherches de ChatDesk</translation>
    </message>
    <message>
        <source>Finds pages</source>
        <translation>Trouve des pages</translation>
    </message>
    <message>
        <source>New</source>
        <comment>messages</comment>
        <translation>Nouveau</translation>
    </message>
    <message>
        <source>Works</source>
        <translation>Fonctionne</translation>
    </message>
    <message>
        <source>Does not work</source>
        <translation>Ne fonctionne pas</translation>
    </message>
    <message>
        <source>{who} offers no embeddings.</source>
        <translation>{who} ne propose pas d’embeddings.</translation>
    </message>
    <message>
        <source>The counters of thread {thread} are wrong.</source>
        <translation>Les compteurs de la conversation {thread} sont incorrects.</translation>
    </message>
    <message>
        <source>The last shown message of thread {thread} is wrong.</source>
        <translation>Le dernier message affiché de la conversation {thread} est incorrect.</translation>
    </message>
    <message>
        <source>The attached file {name} is missing.</source>
        <translation>Le fichier joint {name} manque.</translation>
    </message>
    <message>
        <source>The attached file {name} is not what was saved.</source>
        <translation>Le fichier joint {name} n’est pas celui qui a été enregistré.</translation>
    </message>
    <message>
        <source>The attached file {name} is a link to another file.</source>
        <translation>Le fichier joint {name} est un lien vers un autre fichier.</translation>
    </message>
    <message>
        <source>The attached file {name} cannot be read.</source>
        <translation>Le fichier joint {name} ne peut pas être lu.</translation>
    </message>
    <message>
        <source>SQLite reports: {report}.</source>
        <translation>SQLite signale&#xa0;: {report}.</translation>
    </message>
    <message>
        <source>A row of {table} points to a missing row of {missing}.</source>
        <translation>Une ligne de {table} pointe vers une ligne manquante de {missing}.</translation>
    </message>
    <message>
        <source>The text of message {message} is not what was saved.</source>
        <translation>Le texte du message {message} n’est pas celui qui a été enregistré.</translation>
    </message>
    <message>
        <source>This question is no longer waiting.</source>
        <translation>Cette question n’est plus en attente.</translation>
    </message>
    <message>
        <source>It did not arrive completely.</source>
        <translation>Elle n’est pas arrivée en entier.</translation>
    </message>
    <message>
        <source>This provider no longer exists.</source>
        <translation>Ce fournisseur n’existe plus.</translation>
    </message>
    <message>
        <source>This answer is no longer waiting.</source>
        <translation>Cette réponse n’est plus en attente.</translation>
    </message>
    <message>
        <source>This file contains more messages than can be read at once.</source>
        <translation>Ce fichier contient plus de messages qu’on ne peut en lire en une fois.</translation>
    </message>
    <message>
        <source>ChatDesk keeps running in the tray. To end it, choose Quit there or in the menu.</source>
        <translation>ChatDesk reste actif dans la zone de notification. Pour le fermer, choisissez «&#xa0;Quitter&#xa0;» à cet endroit ou dans le menu.</translation>
    </message>
    <message>
        <source>unknown time</source>
        <translation>date inconnue</translation>
    </message>
    <message>
        <source>The proxy that the system names cannot be used: {proxy}. Name an HTTP proxy there.</source>
        <translation>Le proxy indiqué par le système ne peut pas être utilisé&#xa0;: {proxy}. Indiquez-y un proxy HTTP.</translation>
    </message>
    <message>
        <source>The proxy wants a user name and a password: {proxy}. Nothing was sent.</source>
        <translation>Le proxy demande un nom d’utilisateur et un mot de passe&#xa0;: {proxy}. Rien n’a été envoyé.</translation>
    </message>
    <message>
        <source>Write them into its address, as in http://name:password@proxy:3128.</source>
        <translation>Écrivez-les dans son adresse, comme dans http://name:password@proxy:3128.</translation>
    </message>
    <message>
        <source>The proxy let nothing through ({answer}): {proxy}.</source>
        <translation>Le proxy n’a rien laissé passer ({answer})&#xa0;: {proxy}.</translation>
    </message>
    <message>
        <source>Ask who runs it, or set the proxy of this provider in Settings, Providers.</source>
        <translation>Adressez-vous à la personne qui le gère, ou définissez le proxy de ce fournisseur dans Paramètres, Fournisseurs.</translation>
    </message>
    <message>
        <source>The proxy could not be reached: {proxy}. Nothing was sent.</source>
        <translation>Le proxy n’a pas pu être joint&#xa0;: {proxy}. Rien n’a été envoyé.</translation>
    </message>
    <message>
        <source>Check the proxy, or set the proxy of this provider in Settings, Providers.</source>
        <translation>Vérifiez le proxy, ou définissez le proxy de ce fournisseur dans Paramètres, Fournisseurs.</translation>
    </message>
    <message>
        <source>Upgrading a copy of the database…</source>
        <translation>Mise à niveau d’une copie de la base de données…</translation>
    </message>
    <message>
        <source>The row {row} of {table} has values that cannot be: {columns}.</source>
        <translation>La ligne {row} de {table} a des valeurs impossibles&#xa0;: {columns}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} values of {table} were replaced.</source>
        <comment>{count} value of {table} was replaced.</comment>
        <translation>
            <numerusform>{count} valeur de {table} a été remplacée.</numerusform>
            <numerusform>{count} valeurs de {table} ont été remplacées.</numerusform>
        </translation>
    </message>
    <message>
        <source>{path} is not a file.</source>
        <translation>{path} n’est pas un fichier.</translation>
    </message>
    <message>
        <source>{path} cannot be read ({reason}).</source>
        <translation>{path} ne peut pas être lu ({reason}).</translation>
    </message>
    <message>
        <source>{path} is damaged.</source>
        <translation>{path} est endommagé.</translation>
    </message>
    <message>
        <source>own files</source>
        <translation>fichiers de ChatDesk</translation>
    </message>
    <message>
        <source>ChatDesk goes on without it.</source>
        <translation>ChatDesk continue sans lui.</translation>
    </message>
    <message>
        <source>Damaged files were kept in {directory} as {names}. Remove them when you no longer need them.</source>
        <translation>Des fichiers endommagés ont été conservés dans {directory} sous les noms {names}. Supprimez-les quand vous n’en aurez plus besoin.</translation>
    </message>
    <message>
        <source>file of {subject}</source>
        <translation>fichier ({subject})</translation>
    </message>
    <message>
        <source>Empty or damaged, so that they count as no backups: {names}.</source>
        <translation>Vides ou endommagées, elles ne comptent pas comme sauvegardes&#xa0;: {names}.</translation>
    </message>
    <message>
        <source>Remove them from {directory}.</source>
        <translation>Supprimez-les de {directory}.</translation>
    </message>
    <message>
        <source>backups</source>
        <translation>sauvegardes</translation>
    </message>
    <message>
        <source>import</source>
        <translation>importer</translation>
    </message>
    <message>
        <source>choose the model</source>
        <translation>choisir le modèle</translation>
    </message>
    <message>
        <source>attach a file</source>
        <translation>joindre un fichier</translation>
    </message>
    <message>
        <source>These braces are not closed. Write }} after the name, or a backslash before mere braces.</source>
        <translation>Ces accolades ne sont pas fermées. Écrivez }} après le nom, ou une barre oblique inverse devant de simples accolades.</translation>
    </message>
    <message>
        <source>A variable needs a name between its braces.</source>
        <translation>Une variable doit avoir un nom entre ses accolades.</translation>
    </message>
    <message>
        <source>A name begins with a letter and has letters, digits, spaces, - and _ only. It is inserted as it is written.</source>
        <translation>Un nom commence par une lettre et ne contient que des lettres, des chiffres, des espaces, - et _. Il est inséré tel quel.</translation>
    </message>
    <message>
        <source>Line {line}, column {column}: {problem}</source>
        <translation>Ligne {line}, colonne {column}&#xa0;: {problem}</translation>
    </message>
    <message>
        <source>{variable} has {count} characters; the first {kept} were inserted.</source>
        <translation>{variable} a {count} caractères&#xa0;; les {kept} premiers ont été insérés.</translation>
    </message>
    <message>
        <source>The text was cut after {count} characters.</source>
        <translation>Le texte a été coupé après {count} caractères.</translation>
    </message>
    <message>
        <source>A name has at most {count} characters. It is inserted as it is written.</source>
        <translation>Un nom compte au plus {count} caractères. Il est inséré tel quel.</translation>
    </message>
    <message>
        <source>{variable} means nothing in a system prompt.</source>
        <translation>{variable} ne veut rien dire dans un prompt système.</translation>
    </message>
    <message>
        <source>{variable} takes nothing after its name, so this is inserted as it is written.</source>
        <translation>{variable} n’accepte rien après son nom et est donc inséré tel quel.</translation>
    </message>
    <message>
        <source>This format is not known. Use parts as in {example}, or {variable} alone. It is inserted as it is written.</source>
        <translation>Ce format n’est pas connu. Utilisez des éléments comme dans {example}, ou {variable} seul. Il est inséré tel quel.</translation>
    </message>
    <message>
        <source>{variable} is not known in a system prompt.</source>
        <translation>{variable} n’est pas connu dans un prompt système.</translation>
    </message>
    <message>
        <source>Write 1 to {count} choices, such as {example}.</source>
        <translation>Écrivez de 1 à {count} choix, par exemple {example}.</translation>
    </message>
    <message>
        <source>A template has at most {count} fields. This one stays as it is written.</source>
        <translation>Un modèle de texte contient au plus {count} champs. Celui-ci reste tel quel.</translation>
    </message>
    <message>
        <source>{variable} is asked for as a field.</source>
        <translation>{variable} est demandé comme un champ.</translation>
    </message>
    <message>
        <source>Did you mean {variable}?</source>
        <translation>Vouliez-vous dire {variable}&#xa0;?</translation>
    </message>
    <message>
        <source>Only {names} are known there; this is sent as it is written.</source>
        <translation>Seuls {names} y sont connus&#xa0;; ceci est envoyé tel quel.</translation>
    </message>
    <message>
        <source>The model gave an empty summary.</source>
        <translation>Le modèle a donné un résumé vide.</translation>
    </message>
    <message>
        <source>The model gave a summary that says nothing.</source>
        <translation>Le modèle a donné un résumé qui ne dit rien.</translation>
    </message>
    <message>
        <source>The model refused to summarise.</source>
        <translation>Le modèle a refusé de résumer.</translation>
    </message>
    <message>
        <source>The model gave a summary that is longer than the messages.</source>
        <translation>Le modèle a donné un résumé plus long que les messages.</translation>
    </message>
    <message>
        <source>The model did not finish its summary.</source>
        <translation>Le modèle n’a pas terminé son résumé.</translation>
    </message>
    <message>
        <source>This link cannot be opened: it names neither a thread nor an invitation.</source>
        <translation>Ce lien ne peut pas être ouvert&#xa0;: il ne désigne ni une conversation ni une invitation.</translation>
    </message>
    <message>
        <source>Ask the person who gave it to you to copy it again.</source>
        <translation>Demandez à la personne qui vous l’a donné de le copier de nouveau.</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>Détails</translation>
    </message>
    <message>
        <source>{kilobytes} KB, damaged or too large</source>
        <translation>{kilobytes}&#xa0;Ko, endommagé ou trop grand</translation>
    </message>
    <message>
        <source>too large for a table</source>
        <translation>trop grand pour un tableau</translation>
    </message>
    <message>
        <source>Note</source>
        <comment>callout</comment>
        <translation>Note</translation>
    </message>
    <message>
        <source>Tip</source>
        <comment>callout</comment>
        <translation>Astuce</translation>
    </message>
    <message>
        <source>Important</source>
        <comment>callout</comment>
        <translation>Important</translation>
    </message>
    <message>
        <source>Warning</source>
        <comment>callout</comment>
        <translation>Avertissement</translation>
    </message>
    <message>
        <source>Caution</source>
        <comment>callout</comment>
        <translation>Attention</translation>
    </message>
    <message>
        <source>This diagram could not be drawn</source>
        <translation>Ce diagramme n’a pas pu être dessiné</translation>
    </message>
    <message>
        <source>Diagrams cannot be drawn on this computer</source>
        <translation>Les diagrammes ne peuvent pas être dessinés sur cet ordinateur</translation>
    </message>
    <message>
        <source>This picture could not be drawn</source>
        <translation>Cette image n’a pas pu être dessinée</translation>
    </message>
    <message>
        <source>Erased project</source>
        <translation>Projet effacé</translation>
    </message>
    <message>
        <source>Shared project</source>
        <translation>Projet partagé</translation>
    </message>
    <message>
        <source>The team&apos;s database reports: {reason}</source>
        <translation>La base de données de l’équipe signale&#xa0;: {reason}</translation>
    </message>
    <message>
        <source>This file of the project&apos;s folder cannot be used.</source>
        <translation>Ce fichier du dossier du projet ne peut pas être utilisé.</translation>
    </message>
    <message>
        <source>This path is too long, or has characters that cannot be seen.</source>
        <translation>Ce chemin est trop long, ou contient des caractères invisibles.</translation>
    </message>
    <message>
        <source>Paths begin at the project&apos;s folder: “src/main.py”, for example.</source>
        <translation>Les chemins partent du dossier du projet&#xa0;: par exemple «&#xa0;src/main.py&#xa0;».</translation>
    </message>
    <message>
        <source>A path cannot lead out of the project&apos;s folder.</source>
        <translation>Un chemin ne peut pas mener hors du dossier du projet.</translation>
    </message>
    <message>
        <source>This path is too deep.</source>
        <translation>Ce chemin est trop profond.</translation>
    </message>
    <message>
        <source>“{name}” usually holds secrets, or is managed by a program, so no tool may use it.</source>
        <translation>«&#xa0;{name}&#xa0;» contient habituellement des secrets, ou est géré par un programme, aucun outil ne peut donc l’utiliser.</translation>
    </message>
    <message>
        <source>The project&apos;s folder cannot be opened, or there is a link on the way to it.</source>
        <translation>Le dossier du projet ne peut pas être ouvert, ou un lien se trouve sur son chemin.</translation>
    </message>
    <message>
        <source>Choose it again in the project&apos;s dialog.</source>
        <translation>Choisissez-le de nouveau dans la boîte de dialogue du projet.</translation>
    </message>
    <message>
        <source>“{name}” is not a file but a folder, a link or a device. Links are not followed.</source>
        <translation>«&#xa0;{name}&#xa0;» n’est pas un fichier mais un dossier, un lien ou un périphérique. Les liens ne sont pas suivis.</translation>
    </message>
    <message>
        <source>“{name}” is not a file but a folder, a link or a device.</source>
        <translation>«&#xa0;{name}&#xa0;» n’est pas un fichier mais un dossier, un lien ou un périphérique.</translation>
    </message>
    <message>
        <source>“{name}” is no longer a file.</source>
        <translation>«&#xa0;{name}&#xa0;» n’est plus un fichier.</translation>
    </message>
    <message>
        <source>“{name}” has a second name (a hard link), perhaps outside of the project&apos;s folder.</source>
        <translation>«&#xa0;{name}&#xa0;» a un second nom (un lien physique), peut-être hors du dossier du projet.</translation>
    </message>
    <message>
        <source>Copy it if tools are to use it.</source>
        <translation>Copiez-le si des outils doivent l’utiliser.</translation>
    </message>
    <message>
        <source>“{name}” is too large; the limit is {most}.</source>
        <translation>«&#xa0;{name}&#xa0;» est trop grand&#xa0;; la limite est de {most}.</translation>
    </message>
    <message>
        <source>“{name}” is not a folder, or there is a link on the way. Links are not followed.</source>
        <translation>«&#xa0;{name}&#xa0;» n’est pas un dossier, ou un lien se trouve sur le chemin. Les liens ne sont pas suivis.</translation>
    </message>
    <message>
        <source>“{name}” is not a file but a link. Links are not followed.</source>
        <translation>«&#xa0;{name}&#xa0;» n’est pas un fichier mais un lien. Les liens ne sont pas suivis.</translation>
    </message>
    <message>
        <source>There is no folder “{name}” in the project&apos;s folder.</source>
        <translation>Il n’y a pas de dossier «&#xa0;{name}&#xa0;» dans le dossier du projet.</translation>
    </message>
    <message>
        <source>There is no file “{name}” in the project&apos;s folder.</source>
        <translation>Il n’y a pas de fichier «&#xa0;{name}&#xa0;» dans le dossier du projet.</translation>
    </message>
    <message>
        <source>You may not read “{name}”.</source>
        <translation>Vous n’avez pas le droit de lire «&#xa0;{name}&#xa0;».</translation>
    </message>
    <message>
        <source>“{name}” cannot be opened: {reason}.</source>
        <translation>«&#xa0;{name}&#xa0;» ne peut pas être ouvert&#xa0;: {reason}.</translation>
    </message>
    <message>
        <source>The file was changed after the change was proposed.</source>
        <translation>Le fichier a été modifié après la proposition du changement.</translation>
    </message>
    <message>
        <source>Ask the model to read the file again and to propose the change again.</source>
        <translation>Demandez au modèle de relire le fichier et de proposer de nouveau le changement.</translation>
    </message>
    <message>
        <source>The file was removed after the change was proposed.</source>
        <translation>Le fichier a été supprimé après la proposition du changement.</translation>
    </message>
    <message>
        <source>There is already a file with that name.</source>
        <translation>Il y a déjà un fichier de ce nom.</translation>
    </message>
    <message>
        <source>The file belongs to another user of this computer.</source>
        <translation>Le fichier appartient à un autre utilisateur de cet ordinateur.</translation>
    </message>
    <message>
        <source>The file is write-protected.</source>
        <translation>Le fichier est protégé en écriture.</translation>
    </message>
    <message>
        <source>Remove the protection, then try again.</source>
        <translation>Retirez la protection, puis réessayez.</translation>
    </message>
    <message>
        <source>The disk of “{name}” is full.</source>
        <translation>Le disque de «&#xa0;{name}&#xa0;» est plein.</translation>
    </message>
    <message>
        <source>Free some space, then try again.</source>
        <translation>Libérez de la place, puis réessayez.</translation>
    </message>
    <message>
        <source>You may not write to “{name}”.</source>
        <translation>Vous n’avez pas le droit d’écrire dans «&#xa0;{name}&#xa0;».</translation>
    </message>
    <message>
        <source>“{name}” could not be written: {reason}.</source>
        <translation>«&#xa0;{name}&#xa0;» n’a pas pu être écrit&#xa0;: {reason}.</translation>
    </message>
    <message>
        <source>It no longer knows the session.</source>
        <translation>Il ne connaît plus la session.</translation>
    </message>
    <message>
        <source>something</source>
        <translation>autre chose</translation>
    </message>
    <message>
        <source>It answered with {kind}, not with a message of the protocol. Is its address right?</source>
        <translation>Il a répondu par {kind}, et non par un message du protocole. Son adresse est-elle correcte&#xa0;?</translation>
    </message>
    <message>
        <source>The connection ended before it answered.</source>
        <translation>La connexion s’est terminée avant qu’il ne réponde.</translation>
    </message>
    <message>
        <source>It answered with status {status}.</source>
        <translation>Il a répondu avec le statut {status}.</translation>
    </message>
    <message>
        <source>ChatDesk does not speak the older transport with two addresses (SSE): is there one that ends with /mcp?</source>
        <translation>ChatDesk ne prend pas en charge l’ancien transport à deux adresses (SSE)&#xa0;: y en a-t-il une qui finit par /mcp&#xa0;?</translation>
    </message>
    <message>
        <source>It sent more than {most} values in one message.</source>
        <translation>Il a envoyé plus de {most} valeurs dans un message.</translation>
    </message>
    <message>
        <source>It is larger than {most}.</source>
        <translation>La taille dépasse {most}.</translation>
    </message>
    <message>
        <source>It is not valid base64.</source>
        <translation>Ce n’est pas du base64 valide.</translation>
    </message>
    <message>
        <source>It sent too many requests, or used an id twice, before it read the answers.</source>
        <translation>Il a envoyé trop de requêtes, ou utilisé deux fois un identifiant, avant de lire les réponses.</translation>
    </message>
    <message>
        <source>It was stopped.</source>
        <translation>Il a été arrêté.</translation>
    </message>
    <message>
        <source>It did not answer in time.</source>
        <translation>Il n’a pas répondu à temps.</translation>
    </message>
    <message>
        <source>Its answer could not be read ({kind}).</source>
        <translation>Sa réponse n’a pas pu être lue ({kind}).</translation>
    </message>
    <message>
        <source>It is not running.</source>
        <translation>Il n’est pas démarré.</translation>
    </message>
    <message>
        <source>The sign-in was declined.</source>
        <translation>La connexion a été refusée.</translation>
    </message>
    <message>
        <source>It ended.</source>
        <translation>Il s’est arrêté.</translation>
    </message>
    <message>
        <source>Its answer does not follow the protocol.</source>
        <translation>Sa réponse ne suit pas le protocole.</translation>
    </message>
    <message>
        <source>It did not answer in {seconds} s (Settings, Tools).</source>
        <translation>Il n’a pas répondu en {seconds}&#xa0;s (Paramètres, Outils).</translation>
    </message>
    <message>
        <source>The program {name} was not found.</source>
        <translation>Le programme {name} est introuvable.</translation>
    </message>
    <message>
        <source>The program {name} may not be run.</source>
        <translation>L’exécution du programme {name} n’est pas autorisée.</translation>
    </message>
    <message>
        <source>It cannot be reached.</source>
        <translation>Il est injoignable.</translation>
    </message>
    <message>
        <source>It refused the connection: {reason}</source>
        <translation>Il a refusé la connexion&#xa0;: {reason}</translation>
    </message>
    <message>
        <source>The connection failed ({kind}).</source>
        <translation>La connexion a échoué ({kind}).</translation>
    </message>
    <message>
        <source>It asked to sign in again right after you had signed in.</source>
        <translation>Il a demandé une nouvelle connexion juste après la vôtre.</translation>
    </message>
    <message>
        <source>It sends you to a page of another site than the one that would get your sign-in.</source>
        <translation>Il vous envoie vers une page d’un autre site que celui qui recevrait vos données de connexion.</translation>
    </message>
    <message>
        <source>It sends sign-ins over an address that others could read.</source>
        <translation>Il transmet les données de connexion par une adresse que d’autres pourraient lire.</translation>
    </message>
    <message>
        <source>It sends sign-ins to an address on this computer or its network.</source>
        <translation>Il transmet les données de connexion à une adresse de cet ordinateur ou de son réseau.</translation>
    </message>
    <message>
        <source>Nobody signed in in time.</source>
        <translation>Personne ne s’est connecté à temps.</translation>
    </message>
    <message>
        <source>It does not let ChatDesk register. Enter the ID of a client that you registered there.</source>
        <translation>Il ne laisse pas ChatDesk s’enregistrer. Saisissez l’identifiant d’un client que vous y avez enregistré.</translation>
    </message>
    <message>
        <source>It did not accept the sign-in.</source>
        <translation>Il n’a pas accepté la connexion.</translation>
    </message>
    <message>
        <source>The facts that it gives about signing in contradict each other.</source>
        <translation>Ses indications sur la connexion se contredisent.</translation>
    </message>
    <message>
        <source>The server where you sign in could not be reached, or sent too much.</source>
        <translation>Le serveur où vous vous connectez est injoignable, ou a envoyé trop de données.</translation>
    </message>
    <message>
        <source>Signing in failed ({kind}).</source>
        <translation>La connexion a échoué ({kind}).</translation>
    </message>
    <message>
        <source>It ended with exit code {code}.</source>
        <translation>Il s’est arrêté avec le code {code}.</translation>
    </message>
    <message>
        <source>Its output is not valid UTF-8.</source>
        <translation>Sa sortie n’est pas de l’UTF-8 valide.</translation>
    </message>
    <message>
        <source>It sent more than {most} in one message.</source>
        <translation>Il a envoyé plus de {most} dans un message.</translation>
    </message>
    <message>
        <source>{path} cannot be written: {reason}.</source>
        <translation>{path} ne peut pas être écrit&#xa0;: {reason}.</translation>
    </message>
    <message>
        <source>There is nothing here.</source>
        <translation>Il n’y a rien ici.</translation>
    </message>
    <message>
        <source>This answer belongs to no sign-in that ChatDesk waits for.</source>
        <translation>Cette réponse ne correspond à aucune connexion que ChatDesk attend.</translation>
    </message>
    <message>
        <source>The sign-in was declined. You can close this page.</source>
        <translation>La connexion a été refusée. Vous pouvez fermer cette page.</translation>
    </message>
    <message>
        <source>ChatDesk has the answer. You can close this page.</source>
        <translation>ChatDesk a reçu la réponse. Vous pouvez fermer cette page.</translation>
    </message>
    <message>
        <source>It is not JSON.</source>
        <translation>Ce n’est pas du JSON.</translation>
    </message>
    <message>
        <source>It is cut off.</source>
        <translation>Le contenu est coupé.</translation>
    </message>
    <message>
        <source>It is nested {count} levels deep.</source>
        <translation>L’imbrication compte {count} niveaux.</translation>
    </message>
    <message>
        <source>It is nested too deeply.</source>
        <translation>L’imbrication est trop profonde.</translation>
    </message>
    <message>
        <source>The folder of the service {path} cannot be written to: {reason}.</source>
        <translation>Impossible d’écrire dans le dossier du service {path}&#xa0;: {reason}.</translation>
    </message>
    <message>
        <source>Check its owner and permissions, or choose another --data-dir.</source>
        <translation>Vérifiez son propriétaire et ses droits, ou choisissez un autre --data-dir.</translation>
    </message>
    <message>
        <source>The service cannot listen: {reason}.</source>
        <translation>Le service ne peut pas écouter&#xa0;: {reason}.</translation>
    </message>
    <message>
        <source>Choose another port in the settings, or 0 for any that is free.</source>
        <translation>Choisissez un autre port dans les paramètres, ou 0 pour n’importe quel port libre.</translation>
    </message>
    <message>
        <source>The address of the service cannot be written: {reason}.</source>
        <translation>L’adresse du service ne peut pas être écrite&#xa0;: {reason}.</translation>
    </message>
    <message>
        <source>The settings name another address for the service, but no token may be used there.</source>
        <translation>Les paramètres indiquent une autre adresse pour le service, mais aucun jeton ne peut y être utilisé.</translation>
    </message>
    <message>
        <source>The service was not started.</source>
        <translation>Le service n’a pas été démarré.</translation>
    </message>
    <message>
        <source>Make one with &apos;chatdesk tokens new NAME --scope remote&apos;, or leave the address empty.</source>
        <translation>Créez-en un avec «&#xa0;chatdesk tokens new NAME --scope remote&#xa0;», ou laissez l’adresse vide.</translation>
    </message>
    <message>
        <source>The address of the service must be a name or number of this computer with a port.</source>
        <translation>L’adresse du service doit être un nom ou une adresse IP de cet ordinateur, avec un port.</translation>
    </message>
    <message>
        <source>For example 192.168.1.5:8443, the address at which others reach this computer.</source>
        <translation>Par exemple 192.168.1.5:8443, l’adresse à laquelle d’autres peuvent joindre cet ordinateur.</translation>
    </message>
    <message>
        <source>Another address than this computer&apos;s own needs TLS.</source>
        <translation>Une adresse autre que l’adresse locale de cet ordinateur exige TLS.</translation>
    </message>
    <message>
        <source>Name the files of a certificate and its key in the settings, or leave the address empty.</source>
        <translation>Indiquez dans les paramètres les fichiers d’un certificat et de sa clé, ou laissez l’adresse vide.</translation>
    </message>
    <message>
        <source>The certificate of the service cannot be used: {reason}.</source>
        <translation>Le certificat du service ne peut pas être utilisé&#xa0;: {reason}.</translation>
    </message>
    <message>
        <source>Both files must be in PEM format and belong together, and the key must have no passphrase.</source>
        <translation>Les deux fichiers doivent être au format PEM et correspondre l’un à l’autre, et la clé ne doit pas avoir de phrase secrète.</translation>
    </message>
    <message>
        <source>“{origin}” is not the origin of web pages.</source>
        <translation>«&#xa0;{origin}&#xa0;» n’est pas l’origine de pages web.</translation>
    </message>
    <message>
        <source>An origin is a scheme, a name and a port if there is one: https://tool.example.</source>
        <translation>Une origine est un schéma, un nom et un port s’il y en a un&#xa0;: https://tool.example.</translation>
    </message>
    <message>
        <source>Project folder</source>
        <translation>Dossier du projet</translation>
    </message>
    <message>
        <source>List a folder of the project</source>
        <translation>Lister un dossier du projet</translation>
    </message>
    <message>
        <source>Find files of the project</source>
        <translation>Rechercher des fichiers du projet</translation>
    </message>
    <message>
        <source>Read a file of the project</source>
        <translation>Lire un fichier du projet</translation>
    </message>
    <message>
        <source>Propose a change to a file of the project</source>
        <translation>Proposer un changement dans un fichier du projet</translation>
    </message>
    <message>
        <source>A temporary chat keeps nothing, so no change is proposed in it.</source>
        <translation>Une discussion temporaire ne garde rien, donc aucun changement n’y est proposé.</translation>
    </message>
    <message>
        <source>Files of a folder can be used on Linux and macOS only.</source>
        <translation>Les fichiers d’un dossier ne peuvent être utilisés que sous Linux et macOS.</translation>
    </message>
    <message>
        <source>Nothing was read.</source>
        <translation>Rien n’a été lu.</translation>
    </message>
    <message>
        <source>The project of this thread has no folder on this computer.</source>
        <translation>Le projet de cette conversation n’a pas de dossier sur cet ordinateur.</translation>
    </message>
    <message>
        <source>The web</source>
        <translation>Le web</translation>
    </message>
    <message>
        <source>Search the web</source>
        <translation>Rechercher sur le web</translation>
    </message>
    <message>
        <source>Read a web page</source>
        <translation>Lire une page web</translation>
    </message>
    <message numerus="yes">
        <source>Questions in this thread go to {count} models.</source>
        <comment>Questions in this thread go to {count} model.</comment>
        <translation>
            <numerusform>Les questions de cette conversation vont à {count} modèle.</numerusform>
            <numerusform>Les questions de cette conversation vont à {count} modèles.</numerusform>
        </translation>
    </message>
    <message>
        <source>It sent too many messages that nobody asked for, more than {count} in a second.</source>
        <translation>Il a envoyé trop de messages que personne n’avait demandés, plus de {count} en une seconde.</translation>
    </message>
    <message>
        <source>It wrote too much that nobody asked for, more than {count} bytes in a second.</source>
        <translation>Il a écrit trop de données que personne n’avait demandées, plus de {count} octets en une seconde.</translation>
    </message>
    <message>
        <source>The server has lost nothing.</source>
        <translation>Le serveur n’a rien perdu.</translation>
    </message>
    <message>
        <source>“{project}” goes on without them. Every computer fetches it again.</source>
        <translation>«&#xa0;{project}&#xa0;» continue sans elles. Chaque ordinateur le récupère de nouveau.</translation>
    </message>
    <message>
        <source>Every computer fetches the project again and sends what its person wrote and still has. What nobody sends stays only where it is now. If there is a backup of the server that has these changes, restore that instead.</source>
        <translation>Chaque ordinateur récupère de nouveau le projet et envoie ce que son utilisateur a écrit et possède encore. Ce que personne n’envoie ne reste que là où il est maintenant. S’il existe une sauvegarde du serveur avec ces modifications, restaurez-la plutôt.</translation>
    </message>
    <message>
        <source>Whoever joins the project gets only what comes before the first of them.</source>
        <translation>Quiconque rejoint le projet n’obtient que ce qui précède la première.</translation>
    </message>
    <message>
        <source>An owner of the project can let it go on without them.</source>
        <translation>Un propriétaire du projet peut le laisser continuer sans elles.</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes (numbers {first} to {last}), made between {after} and {before}.</source>
        <comment>{count} change (number {first}), made between {after} and {before}.</comment>
        <translation>
            <numerusform>{count} modification (numéro {first}), faite entre le {after} et le {before}.</numerusform>
            <numerusform>{count} modifications (numéros {first} à {last}), faites entre le {after} et le {before}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} changes (numbers {first} to {last}), made since {after}.</source>
        <comment>{count} change (number {first}), made since {after}.</comment>
        <translation>
            <numerusform>{count} modification (numéro {first}), faite depuis le {after}.</numerusform>
            <numerusform>{count} modifications (numéros {first} à {last}), faites depuis le {after}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} changes (numbers {first} to {last}), the first of the project.</source>
        <comment>{count} change (number {first}), the first of the project.</comment>
        <translation>
            <numerusform>{count} modification (numéro {first}), la première du projet.</numerusform>
            <numerusform>{count} modifications (numéros {first} à {last}), les premières du projet.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>“{project}”: the server has lost {count} changes.</source>
        <comment>“{project}”: the server has lost {count} change.</comment>
        <translation>
            <numerusform>«&#xa0;{project}&#xa0;»&#xa0;: le serveur a perdu {count} modification.</numerusform>
            <numerusform>«&#xa0;{project}&#xa0;»&#xa0;: le serveur a perdu {count} modifications.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Let “{project}” go on without {count} changes?</source>
        <comment>Let “{project}” go on without {count} change?</comment>
        <translation>
            <numerusform>Laisser «&#xa0;{project}&#xa0;» continuer sans {count} modification&#xa0;?</numerusform>
            <numerusform>Laisser «&#xa0;{project}&#xa0;» continuer sans {count} modifications&#xa0;?</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>“{project}”: on {day}, {who} let it go on without {count} changes that the server had lost.</source>
        <comment>“{project}”: on {day}, {who} let it go on without {count} change that the server had lost.</comment>
        <translation>
            <numerusform>«&#xa0;{project}&#xa0;»&#xa0;: le {day}, {who} l’a laissé continuer sans {count} modification que le serveur avait perdue.</numerusform>
            <numerusform>«&#xa0;{project}&#xa0;»&#xa0;: le {day}, {who} l’a laissé continuer sans {count} modifications que le serveur avait perdues.</numerusform>
        </translation>
    </message>
    <message>
        <source>Search your earlier threads</source>
        <translation>Rechercher dans vos conversations précédentes</translation>
    </message>
    <message>
        <source>Read an earlier thread</source>
        <translation>Lire une conversation précédente</translation>
    </message>
    <message>
        <source>Read a file of an earlier thread</source>
        <translation>Lire un fichier d’une conversation précédente</translation>
    </message>
    <message>
        <source>Results are below: up and down choose, Enter opens one</source>
        <translation>Les résultats sont en dessous&#xa0;: flèches haut et bas pour choisir, Entrée pour en ouvrir un</translation>
    </message>
    <message>
        <source>Side by side</source>
        <translation>Côte à côte</translation>
    </message>
    <message>
        <source>Searched the web: {what}</source>
        <translation>Recherche sur le web&#xa0;: {what}</translation>
    </message>
    <message>
        <source>Read {what}</source>
        <translation>Lecture de {what}</translation>
    </message>
    <message>
        <source>Searched your threads: {what}</source>
        <translation>Recherche dans vos conversations&#xa0;: {what}</translation>
    </message>
    <message>
        <source>Looked into the folder {what}</source>
        <translation>Dossier consulté&#xa0;: {what}</translation>
    </message>
    <message>
        <source>Looked for files: {what}</source>
        <translation>Fichiers recherchés&#xa0;: {what}</translation>
    </message>
    <message>
        <source>Proposed a change to {what}</source>
        <translation>Changement proposé dans {what}</translation>
    </message>
    <message>
        <source>Looked for a tool</source>
        <translation>Outil recherché</translation>
    </message>
    <message>
        <source>Asked {server}: {what}</source>
        <translation>Demande à {server}&#xa0;: {what}</translation>
    </message>
    <message numerus="yes">
        <source>{count} steps</source>
        <comment>{count} step</comment>
        <translation>
            <numerusform>{count} étape</numerusform>
            <numerusform>{count} étapes</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} failed</source>
        <comment>{count} failed</comment>
        <translation>
            <numerusform>{count} a échoué</numerusform>
            <numerusform>{count} ont échoué</numerusform>
        </translation>
    </message>
    <message>
        <source>Check against the server again, and accept what is missing then. The log was closed up to there already, and no change was lost by that.</source>
        <translation>Comparez de nouveau avec le serveur, et acceptez alors ce qui manque. Le journal a déjà été refermé jusque-là, et aucune modification n’a été perdue de ce fait.</translation>
    </message>
    <message>
        <source>An answer in a shared project is still being written.</source>
        <translation>Une réponse est encore en cours d’écriture dans un projet partagé.</translation>
    </message>
    <message>
        <source>Wait until it ends, or stop it, then connect again.</source>
        <translation>Attendez qu’elle se termine ou arrêtez-la, puis reconnectez-vous.</translation>
    </message>
    <message>
        <source>No program opened {address}.</source>
        <translation>Aucun programme n’a ouvert {address}.</translation>
    </message>
    <message>
        <source>{name}, page {page} — {heading}</source>
        <translation>{name}, page {page} — {heading}</translation>
    </message>
    <message>
        <source>{name}, page {page}</source>
        <translation>{name}, page {page}</translation>
    </message>
    <message>
        <source>This looks like a secret.</source>
        <translation>Cela ressemble à un secret.</translation>
    </message>
    <message>
        <source>Say that it is to be read all the same, or choose another place.</source>
        <translation>Dites qu’il faut le lire quand même, ou choisissez un autre emplacement.</translation>
    </message>
    <message>
        <source>There is no file {path}.</source>
        <translation>Le fichier {path} n’existe pas.</translation>
    </message>
    <message>
        <source>Choose a file that exists on this computer.</source>
        <translation>Choisissez un fichier qui existe sur cet ordinateur.</translation>
    </message>
    <message>
        <source>“{name}” looks like a secret.</source>
        <translation>«&#xa0;{name}&#xa0;» ressemble à un secret.</translation>
    </message>
    <message>
        <source>This file is not on this computer.</source>
        <translation>Ce fichier n’est pas sur cet ordinateur.</translation>
    </message>
    <message>
        <source>There is no folder or file {place}.</source>
        <translation>Il n’y a ni dossier ni fichier {place}.</translation>
    </message>
    <message>
        <source>Give the path of a folder or file, or an address that begins with https://.</source>
        <translation>Donnez le chemin d’un dossier ou d’un fichier, ou une adresse qui commence par https://.</translation>
    </message>
    <message>
        <source>This folder or file cannot be read.</source>
        <translation>Ce dossier ou ce fichier ne peut pas être lu.</translation>
    </message>
    <message>
        <source>What was read from it before is kept.</source>
        <translation>Ce qui en a été lu auparavant est conservé.</translation>
    </message>
    <message>
        <source>Make it available again, or remove it from the files of the project.</source>
        <translation>Rendez-le de nouveau accessible, ou retirez-le des fichiers du projet.</translation>
    </message>
    <message>
        <source>“{name}” is not a file.</source>
        <translation>«&#xa0;{name}&#xa0;» n’est pas un fichier.</translation>
    </message>
    <message>
        <source>“{name}” is not a folder.</source>
        <translation>«&#xa0;{name}&#xa0;» n’est pas un dossier.</translation>
    </message>
    <message>
        <source>“{place}” cannot be read: {reason}.</source>
        <translation>«&#xa0;{place}&#xa0;» ne peut pas être lu&#xa0;: {reason}.</translation>
    </message>
    <message>
        <source>This project does not exist.</source>
        <translation>Ce projet n’existe pas.</translation>
    </message>
    <message>
        <source>“{place}” is among the files of this project already.</source>
        <translation>«&#xa0;{place}&#xa0;» figure déjà parmi les fichiers de ce projet.</translation>
    </message>
    <message>
        <source>This folder, file or page is not among the files of a project.</source>
        <translation>Ce dossier, ce fichier ou cette page ne figure pas parmi les fichiers d’un projet.</translation>
    </message>
    <message>
        <source>Files of the project</source>
        <translation>Fichiers du projet</translation>
    </message>
    <message>
        <source>Search the files of the project</source>
        <translation>Chercher dans les fichiers du projet</translation>
    </message>
    <message>
        <source>Read on in a file of the project</source>
        <translation>Poursuivre la lecture d’un fichier du projet</translation>
    </message>
    <message>
        <source>Read this all the same?</source>
        <translation>Le lire quand même&#xa0;?</translation>
    </message>
    <message>
        <source>{looks} What it says can go with questions to those who get the files of the project.</source>
        <translation>{looks} Son contenu peut accompagner des questions vers ceux qui reçoivent les fichiers du projet.</translation>
    </message>
    <message>
        <source>Read it</source>
        <translation>Le lire</translation>
    </message>
    <message>
        <source>Remove this from the files of the project?</source>
        <translation>Retirer ceci des fichiers du projet&#xa0;?</translation>
    </message>
    <message>
        <source>ChatDesk forgets what it read from “{place}”. Nothing is deleted there.</source>
        <translation>ChatDesk oublie ce qu’il a lu dans «&#xa0;{place}&#xa0;». Rien n’y est supprimé.</translation>
    </message>
    <message>
        <source>The passage is not on this page: the file may have changed since it was read.</source>
        <translation>Le passage n’est pas sur cette page&#xa0;: le fichier a peut-être changé depuis sa lecture.</translation>
    </message>
    <message>
        <source>This passage is no longer in the files of the project: the file changed, or was removed.</source>
        <translation>Ce passage n’est plus dans les fichiers du projet&#xa0;: le fichier a changé, ou a été retiré.</translation>
    </message>
    <message>
        <source>The answer is unchanged.</source>
        <translation>La réponse est inchangée.</translation>
    </message>
    <message>
        <source>Ask again to search the files as they are now.</source>
        <translation>Reposez la question pour chercher dans les fichiers tels qu’ils sont maintenant.</translation>
    </message>
    <message>
        <source>Open the file</source>
        <translation>Ouvrir le fichier</translation>
    </message>
    <message>
        <source>Previous page</source>
        <translation>Page précédente</translation>
    </message>
    <message>
        <source>Next page</source>
        <translation>Page suivante</translation>
    </message>
    <message>
        <source>Smaller</source>
        <translation>Plus petit</translation>
    </message>
    <message>
        <source>Larger</source>
        <translation>Plus grand</translation>
    </message>
    <message>
        <source>Show the text of the page</source>
        <translation>Afficher le texte de la page</translation>
    </message>
    <message>
        <source>Page</source>
        <translation>Page</translation>
    </message>
    <message>
        <source>Show the page</source>
        <translation>Afficher la page</translation>
    </message>
    <message>
        <source>Page {page} of {total}</source>
        <translation>Page {page} sur {total}</translation>
    </message>
    <message>
        <source>Page {page}</source>
        <translation>Page {page}</translation>
    </message>
    <message>
        <source>Memory is off.</source>
        <translation>La mémoire est désactivée.</translation>
    </message>
    <message>
        <source>Memories are not sent to this provider: you did not allow it.</source>
        <translation>Les souvenirs ne sont pas envoyés à ce fournisseur&#xa0;: vous ne l’avez pas autorisé.</translation>
    </message>
    <message>
        <source>Memories are not sent in a shared project.</source>
        <translation>Les souvenirs ne sont pas envoyés dans un projet partagé.</translation>
    </message>
    <message>
        <source>Memories are not sent in a temporary chat.</source>
        <translation>Les souvenirs ne sont pas envoyés dans une discussion temporaire.</translation>
    </message>
    <message>
        <source>A memory needs a text.</source>
        <translation>Un souvenir a besoin d’un texte.</translation>
    </message>
    <message>
        <source>Write one sentence.</source>
        <translation>Écrivez une phrase.</translation>
    </message>
    <message>
        <source>The memory has {count} characters; the most is {most}.</source>
        <translation>Le souvenir a {count} caractères&#xa0;; le maximum est {most}.</translation>
    </message>
    <message>
        <source>Shorten it to what matters.</source>
        <translation>Réduisez-le à l’essentiel.</translation>
    </message>
    <message numerus="yes">
        <source>about {count} hours left</source>
        <comment>about {count} hour left</comment>
        <translation>
            <numerusform>encore {count} heure environ</numerusform>
            <numerusform>encore {count} heures environ</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>about {count} minutes left</source>
        <comment>about {count} minute left</comment>
        <translation>
            <numerusform>encore {count} minute environ</numerusform>
            <numerusform>encore {count} minutes environ</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>about {count} seconds left</source>
        <comment>about {count} second left</comment>
        <translation>
            <numerusform>encore {count} seconde environ</numerusform>
            <numerusform>encore {count} secondes environ</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} look like secrets, not read</source>
        <comment>{count} looks like a secret, not read</comment>
        <translation>
            <numerusform>{count} ressemble à un secret, non lu</numerusform>
            <numerusform>{count} ressemblent à des secrets, non lus</numerusform>
        </translation>
    </message>
    <message>
        <source>not tried yet</source>
        <translation>pas encore essayée</translation>
    </message>
    <message>
        <source>found at place {place}</source>
        <translation>trouvé à la place {place}</translation>
    </message>
    <message>
        <source>not found</source>
        <translation>non trouvé</translation>
    </message>
    <message>
        <source>at place {place}</source>
        <translation>à la place {place}</translation>
    </message>
    <message>
        <source>{outcome} (before: {earlier})</source>
        <translation>{outcome} (avant&#xa0;: {earlier})</translation>
    </message>
    <message>
        <source>Another computer shares “{place}” with this project.</source>
        <translation>Un autre ordinateur partage «&#xa0;{place}&#xa0;» avec ce projet.</translation>
    </message>
    <message>
        <source>Pause it, and ask the person who shares it to end that.</source>
        <translation>Mettez-le en pause, et demandez à la personne qui le partage d’y mettre fin.</translation>
    </message>
    <message>
        <source>Files are shared by the owners and admins of a shared project, from their own computers.</source>
        <translation>Les fichiers sont partagés par les propriétaires et administrateurs d’un projet partagé, depuis leurs propres ordinateurs.</translation>
    </message>
    <message>
        <source>It is damaged and cannot be drawn.</source>
        <translation>Elle est endommagée et ne peut pas être dessinée.</translation>
    </message>
    <message>
        <source>This page cannot be drawn.</source>
        <translation>Cette page ne peut pas être dessinée.</translation>
    </message>
    <message>
        <source>Read its text instead, or open the file in another program.</source>
        <translation>Lisez plutôt son texte, ou ouvrez le fichier dans un autre programme.</translation>
    </message>
    <message>
        <source>Name the model for embeddings.</source>
        <translation>Indiquez le modèle d’embeddings.</translation>
    </message>
    <message>
        <source>The files of this project are never sent to this provider.</source>
        <translation>Les fichiers de ce projet ne sont jamais envoyés à ce fournisseur.</translation>
    </message>
    <message>
        <source>Let it have them first, or choose another provider.</source>
        <translation>Autorisez-le d’abord à les recevoir, ou choisissez un autre fournisseur.</translation>
    </message>
    <message>
        <source>“{model}” did not answer in time.</source>
        <translation>«&#xa0;{model}&#xa0;» n’a pas répondu à temps.</translation>
    </message>
    <message>
        <source>No provider can be asked here.</source>
        <translation>Aucun fournisseur ne peut être interrogé ici.</translation>
    </message>
    <message>
        <source>The vectors of “{model}” cannot be used.</source>
        <translation>Les vecteurs de «&#xa0;{model}&#xa0;» sont inutilisables.</translation>
    </message>
    <message>
        <source>The vectors of “{model}” have {found} numbers now, and had {known}.</source>
        <translation>Les vecteurs de «&#xa0;{model}&#xa0;» ont maintenant {found} nombres, et en avaient {known}.</translation>
    </message>
    <message>
        <source>Memory is off, so nothing was remembered.</source>
        <translation>La mémoire est désactivée, rien n’a donc été mémorisé.</translation>
    </message>
    <message>
        <source>Nothing was kept.</source>
        <translation>Rien n’a été gardé.</translation>
    </message>
    <message>
        <source>Turn it on in Settings, Context, Memory.</source>
        <translation>Activez-la dans Paramètres, Contexte, Mémoire.</translation>
    </message>
    <message>
        <source>The memories are unchanged.</source>
        <translation>Les souvenirs sont inchangés.</translation>
    </message>
    <message>
        <source>Nothing in the files of the project fits this question.</source>
        <translation>Rien dans les fichiers du projet ne correspond à cette question.</translation>
    </message>
    <message>
        <source>What was found in the files of the project did not fit into the request.</source>
        <translation>Ce qui a été trouvé dans les fichiers du projet n’entrait pas dans la requête.</translation>
    </message>
    <message>
        <source>The files of the project were not sent: this provider never gets them.</source>
        <translation>Les fichiers du projet n’ont pas été envoyés&#xa0;: ce fournisseur ne les reçoit jamais.</translation>
    </message>
    <message>
        <source>Remember facts that you confirm</source>
        <translation>Mémoriser les faits que vous confirmez</translation>
    </message>
    <message>
        <source>Off: nothing is kept or sent. What is there stays until you delete it.</source>
        <translation>Désactivé&#xa0;: rien n’est gardé ni envoyé. Ce qui existe reste jusqu’à ce que vous le supprimiez.</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>Mémoire</translation>
    </message>
    <message>
        <source>memories remember facts</source>
        <translation>souvenirs mémoriser retenir faits</translation>
    </message>
    <message>
        <source>Propose memories below an answer</source>
        <translation>Proposer des souvenirs sous une réponse</translation>
    </message>
    <message>
        <source>A sentence of your question that is about you. Nothing is kept unless you confirm it.</source>
        <translation>Une phrase de votre question qui parle de vous. Rien n’est gardé sans votre confirmation.</translation>
    </message>
    <message>
        <source>A sentence of yours that is about you. Nothing is kept unless you confirm it.</source>
        <translation>Une phrase de vous qui parle de vous. Rien n’est gardé sans votre confirmation.</translation>
    </message>
    <message>
        <source>Memories take at most</source>
        <translation>Les souvenirs occupent au plus</translation>
    </message>
    <message>
        <source>tokens of a request</source>
        <translation>tokens d’une requête</translation>
    </message>
    <message>
        <source>Providers that are sent memories</source>
        <translation>Fournisseurs qui reçoivent les souvenirs</translation>
    </message>
    <message>
        <source>A question and the file that should be found are both needed, in few words.</source>
        <translation>Il faut une question et le fichier à trouver, en peu de mots.</translation>
    </message>
    <message>
        <source>A project keeps at most {count} questions.</source>
        <translation>Un projet garde au plus {count} questions.</translation>
    </message>
    <message>
        <source>Remove some first.</source>
        <translation>Retirez-en d’abord quelques-unes.</translation>
    </message>
    <message>
        <source>Another memory says the same.</source>
        <translation>Un autre souvenir dit la même chose.</translation>
    </message>
    <message>
        <source>Delete one of the two.</source>
        <translation>Supprimez l’un des deux.</translation>
    </message>
    <message>
        <source>ChatDesk keeps {most} memories at most.</source>
        <translation>ChatDesk garde au plus {most} souvenirs.</translation>
    </message>
    <message>
        <source>Delete some that no longer matter.</source>
        <translation>Supprimez-en quelques-uns qui ne comptent plus.</translation>
    </message>
    <message>
        <source>This memory does not exist.</source>
        <translation>Ce souvenir n’existe pas.</translation>
    </message>
    <message>
        <source>Memories are not sent in a shared project, so none is kept for it alone.</source>
        <translation>Les souvenirs ne sont pas envoyés dans un projet partagé, aucun n’est donc gardé pour lui seul.</translation>
    </message>
    <message>
        <source>Keep it everywhere.</source>
        <translation>Gardez-le pour partout.</translation>
    </message>
    <message>
        <source>My computers</source>
        <translation>Mes ordinateurs</translation>
    </message>
    <message>
        <source>Me</source>
        <translation>Moi</translation>
    </message>
    <message>
        <source>The key of your computers cannot be found on this one.</source>
        <translation>La clé de vos ordinateurs est introuvable sur celui-ci.</translation>
    </message>
    <message>
        <source>Unlock the keyring, or join again with the recovery phrase: &apos;chatdesk computers join&apos;.</source>
        <translation>Déverrouillez le trousseau, ou revenez avec la phrase de récupération&#xa0;: «&#xa0;chatdesk computers join&#xa0;».</translation>
    </message>
    <message>
        <source>This computer cannot keep the key of your computers.</source>
        <translation>Cet ordinateur ne peut pas garder la clé de vos ordinateurs.</translation>
    </message>
    <message>
        <source>This folder is not empty.</source>
        <translation>Ce dossier n’est pas vide.</translation>
    </message>
    <message>
        <source>Choose an empty folder, or a new one inside. If your other computer uses this one, join it with the phrase.</source>
        <translation>Choisissez un dossier vide, ou un nouveau dossier à l’intérieur. Si votre autre ordinateur utilise celui-ci, rejoignez-le avec la phrase.</translation>
    </message>
    <message>
        <source>No computer of yours has written into this folder, as far as it has arrived here.</source>
        <translation>Aucun de vos ordinateurs n’a écrit dans ce dossier, d’après ce qui en est arrivé ici.</translation>
    </message>
    <message>
        <source>Wait until the folder has been carried here, or look whether it is the right one.</source>
        <translation>Attendez que le dossier soit arrivé ici, ou vérifiez que c’est le bon.</translation>
    </message>
    <message>
        <source>The recovery phrase is not the one of this folder.</source>
        <translation>La phrase de récupération n’est pas celle de ce dossier.</translation>
    </message>
    <message>
        <source>Use the phrase that was shown when the first computer began with this folder, or when one was removed since.</source>
        <translation>Utilisez la phrase affichée quand le premier ordinateur a commencé avec ce dossier, ou quand un ordinateur a été retiré depuis.</translation>
    </message>
    <message>
        <source>It is there.</source>
        <translation>Il existe.</translation>
    </message>
    <message>
        <source>This is a file. Choose a folder.</source>
        <translation>C’est un fichier. Choisissez un dossier.</translation>
    </message>
    <message>
        <source>It is made when you go on.</source>
        <translation>Il sera créé quand vous continuerez.</translation>
    </message>
    <message>
        <source>It is not there, nor is the folder around it. Connect the disk, or look again.</source>
        <translation>Il n’existe pas, et le dossier qui le contient non plus. Connectez le disque, ou vérifiez de nouveau.</translation>
    </message>
    <message>
        <source>It cannot be written: {reason}.</source>
        <translation>Impossible d’y écrire&#xa0;: {reason}.</translation>
    </message>
    <message>
        <source>It can be written.</source>
        <translation>On peut y écrire.</translation>
    </message>
    <message>
        <source>Contents</source>
        <translation>Contenu</translation>
    </message>
    <message>
        <source>{problem}</source>
        <translation>{problem}</translation>
    </message>
    <message>
        <source>Another computer of yours uses it already. Cancel, and choose Join.</source>
        <translation>Un autre de vos ordinateurs l’utilise déjà. Annulez, et choisissez «&#xa0;Rejoindre&#xa0;».</translation>
    </message>
    <message>
        <source>It is a folder of ChatDesk.</source>
        <translation>C’est un dossier de ChatDesk.</translation>
    </message>
    <message>
        <source>The folder is empty.</source>
        <translation>Le dossier est vide.</translation>
    </message>
    <message>
        <source>It has other files. Choose an empty folder, or a new one inside.</source>
        <translation>Il contient d’autres fichiers. Choisissez un dossier vide, ou un nouveau dossier à l’intérieur.</translation>
    </message>
    <message>
        <source>This computer has not joined any others.</source>
        <translation>Cet ordinateur n’en a rejoint aucun autre.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers start&apos; or &apos;join&apos; does that.</source>
        <translation>«&#xa0;chatdesk computers start&#xa0;» ou «&#xa0;join&#xa0;» le fait.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers status&apos; lists them.</source>
        <translation>«&#xa0;chatdesk computers status&#xa0;» les liste.</translation>
    </message>
    <message>
        <source>The exchange with your other computers is paused.</source>
        <translation>L’échange avec vos autres ordinateurs est en pause.</translation>
    </message>
    <message>
        <source>Nothing is read or written in the folder.</source>
        <translation>Rien n’est lu ni écrit dans le dossier.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers resume&apos; goes on.</source>
        <translation>«&#xa0;chatdesk computers resume&#xa0;» le reprend.</translation>
    </message>
    <message>
        <source>Name it by its id: &apos;chatdesk computers status --json&apos; has them.</source>
        <translation>Indiquez-le par son identifiant&#xa0;: «&#xa0;chatdesk computers status --json&#xa0;» le donne.</translation>
    </message>
    <message>
        <source>This computer has left the folder, and your chats are kept.</source>
        <translation>Cet ordinateur a quitté le dossier, et vos discussions sont conservées.</translation>
    </message>
    <message>
        <source>This profile has chats already.</source>
        <translation>Ce profil a déjà des discussions.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers join&apos; merges them with those of the folder.</source>
        <translation>«&#xa0;chatdesk computers join&#xa0;» les fusionne avec celles du dossier.</translation>
    </message>
    <message>
        <source>Several computers are called {name}.</source>
        <translation>Plusieurs ordinateurs s’appellent {name}.</translation>
    </message>
    <message>
        <source>None of your computers is called {name}.</source>
        <translation>Aucun de vos ordinateurs ne s’appelle {name}.</translation>
    </message>
    <message>
        <source>This is the computer that you use.</source>
        <translation>C’est l’ordinateur que vous utilisez.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers leave&apos; forgets the folder.</source>
        <translation>«&#xa0;chatdesk computers leave&#xa0;» oublie le dossier.</translation>
    </message>
    <message>
        <source>The copies that were kept for the folder cannot be removed: {reason}.</source>
        <translation>Les copies gardées pour le dossier ne peuvent pas être retirées&#xa0;: {reason}.</translation>
    </message>
    <message>
        <source>Remove {folder} by hand.</source>
        <translation>Retirez {folder} à la main.</translation>
    </message>
    <message>
        <source>This computer has joined already.</source>
        <translation>Cet ordinateur a déjà rejoint les autres.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers status&apos;</source>
        <translation>«&#xa0;chatdesk computers status&#xa0;»</translation>
    </message>
    <message>
        <source>That is not a recovery phrase of ChatDesk.</source>
        <translation>Ce n’est pas une phrase de récupération de ChatDesk.</translation>
    </message>
    <message>
        <source>It has seven groups of four letters and digits. Compare each with what was shown at the start.</source>
        <translation>Elle a sept groupes de quatre lettres et chiffres. Comparez chacun avec ce qui a été affiché au début.</translation>
    </message>
    <message>
        <source>The folder of your computers cannot be reached.</source>
        <translation>Le dossier de vos ordinateurs est inaccessible.</translation>
    </message>
    <message>
        <source>Connect the disk, or start the program that carries the folder. ChatDesk tries again by itself.</source>
        <translation>Connectez le disque, ou lancez le programme qui transporte le dossier. ChatDesk réessaie automatiquement.</translation>
    </message>
    <message>
        <source>The folder of your computers belongs to another recovery phrase.</source>
        <translation>Le dossier de vos ordinateurs a une autre phrase de récupération.</translation>
    </message>
    <message>
        <source>Nothing was written there, and everything you wrote is kept on this computer.</source>
        <translation>Rien n’y a été écrit, et tout ce que vous avez écrit est conservé sur cet ordinateur.</translation>
    </message>
    <message>
        <source>Put the folder back, or forget it and join again. ChatDesk tries again by itself.</source>
        <translation>Remettez le dossier en place, ou oubliez-le et rejoignez-le de nouveau. ChatDesk réessaie automatiquement.</translation>
    </message>
    <message>
        <source>The disk with the folder of your computers is full.</source>
        <translation>Le disque qui contient le dossier de vos ordinateurs est plein.</translation>
    </message>
    <message>
        <source>Make room there. ChatDesk tries again by itself.</source>
        <translation>Faites-y de la place. ChatDesk réessaie automatiquement.</translation>
    </message>
    <message>
        <source>The folder of your computers cannot be used: {reason}.</source>
        <translation>Le dossier de vos ordinateurs ne peut pas être utilisé&#xa0;: {reason}.</translation>
    </message>
    <message>
        <source>{answer}: {question}</source>
        <translation>{answer}&#xa0;: {question}</translation>
    </message>
    <message>
        <source>not sent: no room</source>
        <translation>non envoyé&#xa0;: pas de place</translation>
    </message>
    <message>
        <source>not sent: does not fit the question</source>
        <translation>non envoyé&#xa0;: ne correspond pas à la question</translation>
    </message>
    <message>
        <source>not sent: left out</source>
        <translation>non envoyé&#xa0;: laissé de côté</translation>
    </message>
    <message>
        <source>not sent: this provider never gets it</source>
        <translation>non envoyé&#xa0;: ce fournisseur ne le reçoit jamais</translation>
    </message>
    <message>
        <source>not sent: no longer in the files</source>
        <translation>non envoyé&#xa0;: n’est plus dans les fichiers</translation>
    </message>
    <message>
        <source>From the files of the project</source>
        <translation>Depuis les fichiers du projet</translation>
    </message>
    <message>
        <source>What was found in the files</source>
        <translation>Ce qui a été trouvé dans les fichiers</translation>
    </message>
    <message>
        <source>Leave out</source>
        <translation>Laisser de côté</translation>
    </message>
    <message>
        <source>Show the passage</source>
        <translation>Afficher le passage</translation>
    </message>
    <message>
        <source>Use again</source>
        <translation>Reprendre</translation>
    </message>
    <message>
        <source>place {rank}</source>
        <translation>place {rank}</translation>
    </message>
    <message>
        <source>named in the question</source>
        <translation>cité dans la question</translation>
    </message>
    <message>
        <source>by words: {place}</source>
        <translation>par les mots&#xa0;: {place}</translation>
    </message>
    <message>
        <source>by meaning: {place}</source>
        <translation>par le sens&#xa0;: {place}</translation>
    </message>
    <message>
        <source>the whole file</source>
        <translation>le fichier entier</translation>
    </message>
    <message>
        <source>Memories of this thread</source>
        <translation>Souvenirs de cette conversation</translation>
    </message>
    <message>
        <source>{text}: {fate}, {tokens}</source>
        <translation>{text}&#xa0;: {fate}, {tokens}</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories are sent</source>
        <comment>{count} memory is sent</comment>
        <translation>
            <numerusform>{count} souvenir est envoyé</numerusform>
            <numerusform>{count} souvenirs sont envoyés</numerusform>
        </translation>
    </message>
    <message>
        <source>Send the files of the project to {provider}?</source>
        <translation>Envoyer les fichiers du projet à {provider}&#xa0;?</translation>
    </message>
    <message>
        <source>Send and use</source>
        <translation>Envoyer et utiliser</translation>
    </message>
    <message>
        <source>What is left out</source>
        <translation>Ce qui est exclu</translation>
    </message>
    <message>
        <source>One rule a line, as in a .gitignore: “drafts/” leaves out a folder, “*.log” an ending, and “!keep.log” takes a file in again. What is left out is forgotten at once.</source>
        <translation>Une règle par ligne, comme dans un .gitignore&#xa0;: «&#xa0;drafts/&#xa0;» exclut un dossier, «&#xa0;*.log&#xa0;» une extension, et «&#xa0;!keep.log&#xa0;» reprend un fichier. Ce qui est exclu est oublié aussitôt.</translation>
    </message>
    <message>
        <source>Rules</source>
        <translation>Règles</translation>
    </message>
    <message>
        <source>{title}, page {page} of {total}</source>
        <translation>{title}, page {page} sur {total}</translation>
    </message>
    <message>
        <source>Who gets these files</source>
        <translation>Qui reçoit ces fichiers</translation>
    </message>
    <message>
        <source>Untick a provider, and nothing of the project&apos;s files is ever sent to it: no passage, no whole file, and nothing that tools read in them. Answers stay as they are.</source>
        <translation>Décochez un fournisseur, et rien des fichiers du projet ne lui est jamais envoyé&#xa0;: ni passage, ni fichier entier, ni ce que les outils y lisent. Les réponses restent telles quelles.</translation>
    </message>
    <message>
        <source>Files that look like secrets</source>
        <translation>Fichiers qui ressemblent à des secrets</translation>
    </message>
    <message>
        <source>By their names, these usually hold passwords or keys. One that you tick is read, and what it says can go with questions to those who get the files, but never to a team.</source>
        <translation>D’après leur nom, ils contiennent en général des mots de passe ou des clés. Un fichier coché est lu, et son contenu peut accompagner des questions vers ceux qui reçoivent les fichiers, mais jamais vers une équipe.</translation>
    </message>
    <message>
        <source>Kept questions</source>
        <translation>Questions gardées</translation>
    </message>
    <message>
        <source>Write questions with the file that each should find. Run them now, and again after something changed.</source>
        <translation>Écrivez des questions, avec le fichier que chacune doit trouver. Lancez-les maintenant, et de nouveau après un changement.</translation>
    </message>
    <message>
        <source>The file to find</source>
        <translation>Le fichier à trouver</translation>
    </message>
    <message>
        <source>Run all</source>
        <translation>Tout lancer</translation>
    </message>
    <message>
        <source>Add a memory</source>
        <translation>Ajouter un souvenir</translation>
    </message>
    <message>
        <source>Edit the memory</source>
        <translation>Modifier le souvenir</translation>
    </message>
    <message>
        <source>One sentence</source>
        <translation>Une phrase</translation>
    </message>
    <message>
        <source>What to remember</source>
        <translation>Ce qu’il faut mémoriser</translation>
    </message>
    <message>
        <source>Where it holds</source>
        <translation>Où il s’applique</translation>
    </message>
    <message>
        <source>Everywhere</source>
        <translation>Partout</translation>
    </message>
    <message>
        <source>Erase it with its message</source>
        <translation>L’effacer avec son message</translation>
    </message>
    <message>
        <source>Deleted: “{text}”</source>
        <translation>Supprimé&#xa0;: «&#xa0;{text}&#xa0;»</translation>
    </message>
    <message>
        <source>written by you</source>
        <translation>écrit par vous</translation>
    </message>
    <message>
        <source>selected in a message</source>
        <translation>pris dans un message</translation>
    </message>
    <message>
        <source>proposed below an answer</source>
        <translation>proposé sous une réponse</translation>
    </message>
    <message>
        <source>imported</source>
        <translation>importé</translation>
    </message>
    <message>
        <source>from another program</source>
        <translation>d’un autre programme</translation>
    </message>
    <message>
        <source>A project without a name</source>
        <translation>Un projet sans nom</translation>
    </message>
    <message>
        <source>imported from {source}</source>
        <translation>importé de {source}</translation>
    </message>
    <message>
        <source>its message is gone</source>
        <translation>son message n’existe plus</translation>
    </message>
    <message>
        <source>erased with its message</source>
        <translation>effacé avec son message</translation>
    </message>
    <message>
        <source>not sent: what it belongs to is in the trash</source>
        <translation>non envoyé&#xa0;: ce à quoi il appartient est dans la corbeille</translation>
    </message>
    <message>
        <source>not sent: the project is shared</source>
        <translation>non envoyé&#xa0;: le projet est partagé</translation>
    </message>
    <message>
        <source>Select the words to remember first.</source>
        <translation>Sélectionnez d’abord les mots à mémoriser.</translation>
    </message>
    <message>
        <source>Nothing is remembered: memory is off, and an environment variable decides that.</source>
        <translation>Rien n’est mémorisé&#xa0;: la mémoire est désactivée, et une variable d’environnement en décide.</translation>
    </message>
    <message>
        <source>Keep “{fact}” as a memory?</source>
        <translation>Garder «&#xa0;{fact}&#xa0;» comme souvenir&#xa0;?</translation>
    </message>
    <message>
        <source>Memory is off. Turn it on and keep “{fact}”?</source>
        <translation>La mémoire est désactivée. L’activer et garder «&#xa0;{fact}&#xa0;»&#xa0;?</translation>
    </message>
    <message>
        <source>Turn on and keep</source>
        <translation>Activer et garder</translation>
    </message>
    <message>
        <source>Kept as a memory.</source>
        <translation>Gardé comme souvenir.</translation>
    </message>
    <message>
        <source>This is remembered already.</source>
        <translation>C’est déjà mémorisé.</translation>
    </message>
    <message>
        <source>Remember the selection</source>
        <translation>Mémoriser la sélection</translation>
    </message>
    <message>
        <source>Memory is off, and an environment variable decides that. Nothing can be kept.</source>
        <translation>La mémoire est désactivée, et une variable d’environnement en décide. Rien ne peut être gardé.</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent until you turn it on.</source>
        <translation>La mémoire est désactivée&#xa0;: rien n’est gardé ni envoyé tant que vous ne l’activez pas.</translation>
    </message>
    <message>
        <source>In this project</source>
        <translation>Dans ce projet</translation>
    </message>
    <message>
        <source>Turn memory on and keep</source>
        <translation>Activer la mémoire et garder</translation>
    </message>
    <message>
        <source>Memories in the export</source>
        <translation>Souvenirs de l’export</translation>
    </message>
    <message>
        <source>Tick all</source>
        <translation>Tout cocher</translation>
    </message>
    <message>
        <source>Remember the ticked ones</source>
        <translation>Mémoriser les souvenirs cochés</translation>
    </message>
    <message>
        <source>Tick those that ChatDesk shall remember. They are sent to the providers that you allow.</source>
        <translation>Cochez ceux que ChatDesk doit retenir. Ils sont envoyés aux fournisseurs que vous autorisez.</translation>
    </message>
    <message>
        <source>Memory is off, so none can be taken. If you turn it on in Settings, Context, Memory and import the file again, ChatDesk keeps those that you tick, and sends them to the providers that you allow.</source>
        <translation>La mémoire est désactivée, aucun ne peut donc être repris. Si vous l’activez dans Paramètres, Contexte, Mémoire et importez de nouveau le fichier, ChatDesk garde ceux que vous cochez, et les envoie aux fournisseurs que vous autorisez.</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories in the export</source>
        <comment>{count} memory in the export</comment>
        <translation>
            <numerusform>{count} souvenir dans l’export</numerusform>
            <numerusform>{count} souvenirs dans l’export</numerusform>
        </translation>
    </message>
    <message>
        <source>{count}. {hint}</source>
        <translation>{count}. {hint}</translation>
    </message>
    <message>
        <source>No file or folder of the project has this name: {names}.</source>
        <translation>Aucun fichier ni dossier du projet ne porte ce nom&#xa0;: {names}.</translation>
    </message>
    <message>
        <source>Left out of the project&apos;s files: {names}.</source>
        <translation>Exclu des fichiers du projet&#xa0;: {names}.</translation>
    </message>
    <message>
        <source>{provider} never gets files of this project: {names}.</source>
        <translation>{provider} ne reçoit jamais de fichiers de ce projet&#xa0;: {names}.</translation>
    </message>
    <message>
        <source>Not read yet: {names}.</source>
        <translation>Pas encore lu&#xa0;: {names}.</translation>
    </message>
    <message>
        <source>Cannot be read: {names}.</source>
        <translation>Illisible&#xa0;: {names}.</translation>
    </message>
    <message>
        <source>Looks like a secret, and is not read: {names}.</source>
        <translation>Ressemble à un secret, et n’est pas lu&#xa0;: {names}.</translation>
    </message>
    <message>
        <source>Everything that you wrote here is kept on this computer, also what had not been sent.</source>
        <translation>Tout ce que vous avez écrit ici est conservé sur cet ordinateur, même ce qui n’avait pas été envoyé.</translation>
    </message>
    <message>
        <source>Join again with the new recovery phrase, or forget the folder.</source>
        <translation>Revenez avec la nouvelle phrase de récupération, ou oubliez le dossier.</translation>
    </message>
    <message>
        <source>Everything that you wrote here is kept on this computer, and merged when you have joined again.</source>
        <translation>Tout ce que vous avez écrit ici est conservé sur cet ordinateur, et sera fusionné quand vous serez revenu.</translation>
    </message>
    <message>
        <source>Join again with the new recovery phrase. If you did not remove any, begin with another folder.</source>
        <translation>Revenez avec la nouvelle phrase de récupération. Si vous n’avez retiré aucun ordinateur, commencez avec un autre dossier.</translation>
    </message>
    <message>
        <source>This recovery phrase was replaced when a computer was removed.</source>
        <translation>Cette phrase de récupération a été remplacée quand un ordinateur a été retiré.</translation>
    </message>
    <message>
        <source>Use the phrase that was shown then.</source>
        <translation>Utilisez la phrase affichée à ce moment-là.</translation>
    </message>
    <message>
        <source>This computer was removed on {computer}.</source>
        <translation>Cet ordinateur a été retiré sur {computer}.</translation>
    </message>
    <message>
        <source>{name} was removed on {computer}, so there is a new recovery phrase.</source>
        <translation>{name} a été retiré sur {computer}, il y a donc une nouvelle phrase de récupération.</translation>
    </message>
</context>
</TS>
